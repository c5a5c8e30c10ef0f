"""Reads of people, organizations and live sessions, shaped for pages, the admin and the live hub."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import BooleanField, Exists, Func, JSONField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce, Lower

from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.factors.required import SETTING, house_roles
from cortex.accounts.models import Invitation, Organization, Role, StaffProfile, User
from cortex.accounts.sessions.clocks import limits
from cortex.accounts.sessions.models import SessionState

SocketPair = tuple[str, UUID, int]

# One round trip for all sockets of a process: each pair must have a live session and unchanged rights.
INVALID_SOCKETS = """
    SELECT pair.session_key, pair.user_id, pair.version
    FROM unnest(%s::text[], %s::uuid[], %s::int[]) AS pair(session_key, user_id, version)
    LEFT JOIN django_session session
        ON session.session_key = pair.session_key AND session.expire_date > now()
    LEFT JOIN (accounts_user person JOIN accounts_organization house ON house.id = person.organization_id)
        ON person.id = pair.user_id AND person.is_active AND person.access_version = pair.version
           AND house.is_active
    LEFT JOIN accounts_sessionstate state ON state.session_key = pair.session_key
    WHERE session.session_key IS NULL
       OR person.id IS NULL
       OR (state.session_key IS NOT NULL AND (
              state.user_id <> pair.user_id
              OR state.started_at <= now() - %s::interval
              OR (state.last_input_at <= now() - %s::interval
                  AND NOT (state.on_board AND person.pin_hash <> ''))))
       OR (state.factor_passed_at IS NULL
           AND COALESCE(house.settings->'mfa_required_roles', %s::jsonb) ? person.role)
"""


def user_by_email(email: str) -> User | None:
    """Return the person with this e-mail, whatever its case."""
    wanted = User.objects.normalize_email(email)
    if not wanted:
        return None
    found = User.objects.reaching().annotate(lower_email=Lower("email"))
    return found.filter(lower_email=wanted).first()


def user_by_id(user_id: UUID | str) -> User | None:
    """Return the person with this id, or None."""
    return User.objects.filter(pk=user_id).first()


def signed_in_user(user_id: UUID) -> User | None:
    """Return a person with their organization and reach, for a request that carries their session."""
    return User.objects.reaching().filter(pk=user_id).first()


def staff_of(org_ids: Iterable[UUID]) -> QuerySet[User]:
    """Return the people of these organizations, by name; the active ones first."""
    rows = User.objects.select_related("organization").filter(organization_id__in=list(org_ids))
    return rows.order_by("-is_active", "full_name", "email")


def active_users(*, organization_id: UUID, roles: Iterable[Role] = ()) -> QuerySet[User]:
    """Return the people of an organization who may sign in, of these roles (default: all)."""
    rows = User.objects.filter(organization_id=organization_id, is_active=True)
    wanted = [str(role) for role in roles]
    return rows.filter(role__in=wanted) if wanted else rows


def may_lead(organization: Organization) -> QuerySet[User]:
    """Return whoever may be a lead, and whoever is one: a form that didn't show them would drop them."""
    here = User.objects.filter(organization=organization.pk)
    may = Q(is_active=True, role__in=sorted(DESK_ROLES))
    return here.filter(may | Q(pk__in=organization.lead_ids)).order_by("full_name", "pk")


def has_operator() -> bool:
    """Whether somebody runs the house, or was invited to; `create_admin` makes the first one."""
    waiting = Invitation.objects.filter(is_operator=True, accepted_at=None, revoked_at=None)
    return User.objects.filter(is_operator=True, is_active=True).exists() or waiting.exists()


def operators() -> QuerySet[User]:
    """Return the people who run the house."""
    return User.objects.select_related("organization").filter(is_operator=True)


def organization(organization_id: UUID) -> Organization | None:
    """Return one organization."""
    return Organization.objects.filter(pk=organization_id).first()


def organization_by_slug(slug: str) -> Organization | None:
    """Return the organization with this slug."""
    return Organization.objects.filter(slug=slug).first()


def organization_by_name(name: str) -> Organization | None:
    """Return the organization with exactly this name."""
    return Organization.objects.filter(name=name).first()


def organizations() -> QuerySet[Organization]:
    """Return all active organizations that answer for people, by name."""
    return Organization.objects.serving()


def sockets_still_valid(pairs: Iterable[SocketPair]) -> set[SocketPair]:
    """Return the pairs (session key, user id, access version) whose sockets must be closed now.

    A pair is invalid when its session ended, expired or idled away, when the person or their organization was
    disabled, when their rights changed since the socket opened, or when they must give a second factor and
    have not. One query, however many sockets.
    """
    wanted = list(pairs)
    if not wanted:
        return set()
    keys, users, versions = zip(*wanted, strict=True)
    now = limits()
    # Input is noted once a minute, so that a socket may outlive the page's own limit by two.
    parameters: list[Any] = [
        list(keys),
        list(users),
        list(versions),
        now.absolute,
        now.idle + timedelta(minutes=2),
        json.dumps(house_roles()),
    ]
    with connection.cursor() as cursor:
        cursor.execute(INVALID_SOCKETS, parameters)
        return {(key, user_id, version) for key, user_id, version in cursor.fetchall()}


def live_sessions(user_id: UUID | OuterRef, at: datetime) -> QuerySet[SessionState]:
    """Return a person's sessions that are neither ended, expired nor idled away at `at`.

    `user_id` may be an OuterRef, so that a query can ask `Exists(live_sessions(...))`.
    """
    now = limits()
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=at)
    kept_by_cover = Q(locked_at__isnull=False) | (Q(on_board=True) & ~Q(user__pin_hash=""))
    fresh = Q(last_input_at__gt=at - now.idle - timedelta(minutes=2))
    rows = SessionState.objects.filter(user_id=user_id, started_at__gt=at - now.absolute)
    return rows.filter(Exists(alive)).filter(kept_by_cover | fresh).filter(_has_passed())


def _has_passed() -> Q:
    """Filter out sessions that wait for a second factor: nothing but its page is open to them."""
    said = KeyTransform(SETTING, "user__organization__settings")
    roles = Coalesce(said, Value(house_roles(), JSONField()), output_field=JSONField())
    asked = Func(
        roles, "user__role", template="%(expressions)s", arg_joiner=" ? ", output_field=BooleanField()
    )
    return Q(factor_passed_at__isnull=False) | ~Q(asked)


def is_demo() -> bool:
    """Whether an organization here is marked as fictional, so that the page of entry says so."""
    return Organization.objects.filter(settings__fictional=True).exists()


def is_trainee(user: User) -> bool:
    """Whether somebody's notes need a supervisor's signature beside their own."""
    return StaffProfile.objects.filter(user=user, is_trainee=True).exists()
