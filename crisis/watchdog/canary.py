"""The canary's place: an organization of its own with one listener, who is on shift and signed in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from cortex.accounts.actions import create_organization, create_user
from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from cortex.accounts.queries import organization_by_slug, user_by_email
from cortex.accounts.sessions.actions import end_session, note_input, start_session
from cortex.audit import Actor, system
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from crisis.duty.actions import end_shift, plan_shift, start_shift
from crisis.duty.models import DutyRole, DutyStatus
from crisis.watchdog import queries

SLUG, NAME = "cortex-canary", "Canary"
# An address that no mail ever reaches; without a password nobody signs in by it.
LISTENER = "canary@cortex.invalid"
SETTINGS = {"canary": True, "notify_by_email": False, "mfa_required_roles": []}
SHIFT = timedelta(hours=12)
# Shorter than any limit that sessions may have.
SESSION_SECONDS = 50 * 60.0


class NoPlace(Exception):
    """Another organization stands where the canary's should."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a canary is raised, and how its board is opened."""

    organization_id: UUID
    cookie: str

    @property
    def topic(self) -> str:
        """The board's name."""
        return f"board:{self.organization_id}"

    @property
    def actor(self) -> Actor:
        """The watchdog at work there."""
        return system("watchdog", self.organization_id)


class Canary:
    """Makes the place once and keeps it open; the session belongs to this process."""

    def __init__(self) -> None:
        self._session = ""
        self._since = 0.0
        self._listener: User | None = None

    def prepare(self) -> Place:
        """Return the place, with its listener on shift and signed in."""
        organization = _organization()
        listener = user_by_email(LISTENER) or _listener(organization)
        _put_on_shift(organization, listener)
        if self._session and time.monotonic() - self._since > SESSION_SECONDS:
            self.leave()
        if not self._session:
            self._sign_in(listener)
        # Input is what keeps a person's session alive.
        note_input(session_key=self._session)
        return Place(organization.pk, f"{settings.SESSION_COOKIE_NAME}={self._session}")

    def leave(self) -> None:
        """End the session, as at a sign-out; the next round begins another."""
        session, listener = self._session, self._listener
        self._session = ""
        if session and listener is not None:
            end_session(actor=actor_of_user(listener), session_key=session, why="watchdog")

    def _sign_in(self, listener: User) -> None:
        """Begin a session in the store as the sign-in page leaves one."""
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(listener.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = listener.get_session_auth_hash()
        session.set_expiry(timedelta(seconds=2 * SESSION_SECONDS))
        session.create()
        start_session(actor=actor_of_user(listener), session_key=session.session_key)
        self._session, self._since, self._listener = session.session_key, time.monotonic(), listener


def _organization() -> Organization:
    found = organization_by_slug(SLUG)
    if found is None:
        return create_organization(actor=system("watchdog"), name=NAME, slug=SLUG, settings=SETTINGS)
    if found.settings.get("canary") is not True:
        raise NoPlace
    return found


def _listener(organization: Organization) -> User:
    return create_user(
        actor=system("watchdog", organization.pk),
        organization_id=organization.pk,
        email=LISTENER,
        full_name=NAME,
        role=Role.COUNSELOR,
    )


def _put_on_shift(organization: Organization, listener: User) -> None:
    """Let the listener be on shift: without anybody there, each canary would call for cover."""
    shift, now = queries.last_shift(listener), clock()
    if shift is not None and shift.is_running and shift.planned_end <= now:
        end_shift(actor=actor_of_user(listener))
        shift = None
    if shift is None or shift.planned_end <= now:
        shift = plan_shift(
            actor=system("watchdog", organization.pk),
            user_id=listener.pk,
            organization_id=organization.pk,
            role=DutyRole.COUNSELOR,
            planned_start=now,
            planned_end=now + SHIFT,
        )
    if shift.status == DutyStatus.PLANNED:
        start_shift(actor=actor_of_user(listener), shift_id=shift.pk, sound_tested=True)
