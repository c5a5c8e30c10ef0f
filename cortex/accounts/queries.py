"""Reads of people, organizations and live sessions, shaped for pages, the admin and the live hub."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from cortex.accounts.models import Organization, Role, User

SocketPair = tuple[str, UUID, int]

# One round trip for all sockets of a process: each pair must have a live session and unchanged rights.
INVALID_SOCKETS = """
    SELECT pair.session_key, pair.user_id, pair.version
    FROM unnest(%s::text[], %s::uuid[], %s::int[]) AS pair(session_key, user_id, version)
    LEFT JOIN django_session session
        ON session.session_key = pair.session_key AND session.expire_date > now()
    LEFT JOIN accounts_user person
        ON person.id = pair.user_id AND person.is_active AND person.access_version = pair.version
    LEFT JOIN accounts_sessionstate state ON state.session_key = pair.session_key
    WHERE session.session_key IS NULL
       OR person.id IS NULL
       OR (state.session_key IS NOT NULL AND (
              state.user_id <> pair.user_id
              OR state.started_at <= now() - interval '12 hours'
              OR (state.last_input_at <= now() - interval '17 minutes'
                  AND NOT (state.on_board AND person.pin_hash <> ''))))
"""


def user_by_email(email: str) -> User | None:
    """Return the person with this e-mail, whatever its case."""
    wanted = User.objects.normalize_email(email)
    if not wanted:
        return None
    found = User.objects.select_related("organization").annotate(lower_email=Lower("email"))
    return found.filter(lower_email=wanted).first()


def signed_in_user(user_id: UUID) -> User | None:
    """Return a person with their organization, for a request that carries their session."""
    return User.objects.select_related("organization").filter(pk=user_id).first()


def user_in_scope(user_id: UUID, org_ids: Iterable[UUID]) -> User | None:
    """Return a person of one of these organizations, or None."""
    return (
        User.objects.select_related("organization")
        .filter(pk=user_id, organization_id__in=list(org_ids))
        .first()
    )


def staff_of(org_ids: Iterable[UUID]) -> QuerySet[User]:
    """Return the people of these organizations, by name; the active ones first."""
    rows = User.objects.select_related("organization").filter(organization_id__in=list(org_ids))
    return rows.order_by("-is_active", "full_name", "email")


def active_users(*, organization_id: UUID, roles: Iterable[Role] = ()) -> QuerySet[User]:
    """Return the people of an organization who may sign in, of these roles (default: all)."""
    rows = User.objects.filter(organization_id=organization_id, is_active=True)
    wanted = [str(role) for role in roles]
    return rows.filter(role__in=wanted) if wanted else rows


def leads_of(organization: Organization) -> QuerySet[User]:
    """Return the active people whom the organization's settings name as its leads."""
    return User.objects.filter(pk__in=organization.lead_ids, organization_id=organization.pk, is_active=True)


def organization(organization_id: UUID) -> Organization | None:
    """Return one organization."""
    return Organization.objects.filter(pk=organization_id).first()


def organization_by_slug(slug: str) -> Organization | None:
    """Return the organization with this slug."""
    return Organization.objects.filter(slug=slug).first()


def organizations() -> QuerySet[Organization]:
    """Return all active organizations, by name."""
    return Organization.objects.filter(is_active=True)


def sockets_still_valid(pairs: Iterable[SocketPair]) -> set[SocketPair]:
    """Return the pairs (session key, user id, access version) whose sockets must be closed now.

    A pair is invalid when its session ended, expired or idled away, when the person was disabled, or when
    their rights changed since the socket opened. One query, however many sockets.
    """
    wanted = list(pairs)
    if not wanted:
        return set()
    keys, users, versions = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(INVALID_SOCKETS, [list(keys), list(users), list(versions)])
        return {(key, user_id, version) for key, user_id, version in cursor.fetchall()}


def users_with_session(user_ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Return those of `user_ids` who have a session that is neither ended nor expired at `at`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT state.user_id FROM accounts_sessionstate state
            JOIN django_session session USING (session_key)
            WHERE state.user_id = ANY(%s::uuid[]) AND session.expire_date > %s
              AND state.started_at > %s - interval '12 hours'
            """,
            [list(user_ids), at, at],
        )
        return {row[0] for row in cursor.fetchall()}
