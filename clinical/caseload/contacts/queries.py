"""Reads of people's contacts: the last and the next session that labels leave open, check-in and message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, DateTimeField, F, OuterRef, QuerySet, Subquery, Value, When

from clinical.sessions.labels import MEMBER, open_sessions
from cortex.accounts.models import User
from cortex.ids import floor_of, time_of
from cortex.ops.postgres.questions import kept
from patients.codes import ConsentType, MessageRole, SessionStatus
from patients.labels.rules import closed_to
from patients.privacy.queries import consent_state
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn

# Messages are looked for this far back, each month in a table of its own; sessions and check-ins without end.
WRITTEN = timedelta(days=90)
HELD = (SessionStatus.IN_PROGRESS, SessionStatus.COMPLETED, SessionStatus.ABANDONED)
# The labels that shut a session to everybody's team, and to that of somebody who agreed to Part 2.
TEAM_SHUT, AGREED_SHUT = (tuple(sorted(closed_to(MEMBER, part2=part2))) for part2 in (False, True))
# Stands for the start of a session that a label may shut to the reader.
LABELLED = datetime(1970, 1, 1, tzinfo=UTC)


class Contact(NamedTuple):
    """When somebody was seen last and comes next, as far as labels tell the reader; checked in; wrote."""

    last: datetime | None
    following: datetime | None
    said: datetime | None
    wrote: datetime | None


class Found(NamedTuple):
    """The contacts of one row, whoever reads: LABELLED in the place of a session that may be shut to them.

    `until` is when the clock alone makes them others: a session begins, or a message is too long ago.
    """

    pk: UUID
    last: datetime | None
    following: datetime | None
    said: datetime | None
    wrote: datetime | None
    until: datetime | None


def found_contacts(ids: Collection[UUID], at: datetime) -> list[Found]:
    """Return the contacts of these rows, whoever reads; one query."""
    found = []
    for pk, last, following, ahead, said, message in _contacts(list(ids), at, floor_of(at - WRITTEN)):
        wrote = time_of(message) if message else None
        ends = [moment for moment in (ahead, wrote and wrote + WRITTEN) if moment is not None]
        found.append(Found(pk, last, following, said, wrote, min(ends, default=None)))
    return found


def told(user: User, found: Collection[Found], at: datetime) -> dict[UUID, Contact]:
    """Return what labels leave of these contacts to `user`, who treats or covers these people.

    No query, and two where the last or the next session of anybody has a label that may shut it.
    """
    asked = [one.pk for one in found if LABELLED in (one.last, one.following)]
    opened = _opened(user, asked, at) if asked else {}
    return {
        one.pk: Contact(*opened.get(one.pk, (one.last, one.following)), one.said, one.wrote) for one in found
    }


def _opened(user: User, ids: list[UUID], at: datetime) -> dict[UUID, tuple[datetime | None, datetime | None]]:
    """Return the last and the next session of these rows as far as labels leave them open."""
    found = _open_to(ids, user.pk, at)
    people = {person for _, person, *_ in found}
    agreed = consent_state(people, [ConsentType.PART2_TPO], at)
    return {
        pk: (last_agreed, next_agreed) if agreed[person, ConsentType.PART2_TPO] else (last, following)
        for pk, person, last, following, last_agreed, next_agreed in found
    }


def _held(at: datetime) -> tuple[QuerySet[Session], QuerySet[Session]]:
    """Return a row's sessions that took place, the newest first, and those to come, the nearest first."""
    own = Session.objects.filter(patient_id=OuterRef("pk"))
    held = own.filter(started_at__lte=at, status__in=HELD).order_by("-started_at")
    return held, own.filter(started_at__gt=at, status=SessionStatus.SCHEDULED).order_by("started_at")


@kept
def _contacts(ids: Collection[UUID], at: datetime, floor: UUID) -> Any:
    """Each row's last session, next one, next of any kind, last check-in and own message from `floor` on.

    LABELLED stands for a session whose label may shut it: what stands in its place is asked for by itself.
    """
    labelled = When(sensitivity_labels__overlap=list(TEAM_SHUT), then=Value(LABELLED))
    start = Case(labelled, default=F("started_at"), output_field=DateTimeField())
    ahead = Session.objects.filter(patient_id=OuterRef("pk"), started_at__gt=at).order_by("started_at")
    said = DailyCheckIn.objects.filter(patient_id=OuterRef("pk")).order_by("-date")
    wrote = Message.objects.filter(patient_id=OuterRef("pk"), role=MessageRole.PATIENT, pk__gte=floor)
    return (
        Patient.objects.filter(pk__in=ids)
        .order_by()
        .values_list(
            "pk", *(Subquery(rows.values(start=start)[:1]) for rows in _held(at)),
            Subquery(ahead.values("started_at")[:1]), Subquery(said.values("submitted_at")[:1]),
            Subquery(wrote.order_by("-pk").values("pk")[:1]),
        )
    )  # fmt: skip


@kept
def _open_to(ids: Collection[UUID], user_id: UUID, at: datetime) -> Any:
    """Each row's last and next session that labels leave open to the reader, without Part 2 and with it."""
    told = [
        Subquery(rows.filter(open_sessions(user_id, shut)).values("started_at")[:1])
        for shut in (TEAM_SHUT, AGREED_SHUT)
        for rows in _held(at)
    ]
    return Patient.objects.filter(pk__in=ids).order_by().values_list("pk", "person_id", *told)
