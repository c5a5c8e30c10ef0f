"""Reads of people's contacts: the last and the next session that labels leave open, check-in and message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, DateTimeField, F, OuterRef, QuerySet, Subquery, Value, When

from clinical.sessions.labels import MEMBER, open_sessions
from cortex.accounts.models import User
from cortex.ids import floor_of, time_of
from cortex.ops.postgres.questions import kept
from patients.codes import MET, ConsentType, MessageRole, SessionStatus
from patients.labels.rules import closed_to
from patients.privacy.queries import consent_state
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn

# Messages are looked for this far back, each month in a table of its own; sessions and check-ins without end.
WRITTEN = timedelta(days=90)
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
    """The contacts of a person, whoever reads: LABELLED in the place of a session that may be shut to them.

    `until` is when the clock alone makes them others: a session begins, or a message is too long ago.
    `linked` are the rows that they are of beside the one on record, `pk`.
    """

    pk: UUID
    last: datetime | None
    following: datetime | None
    said: datetime | None
    wrote: datetime | None
    until: datetime | None
    linked: tuple[UUID, ...] = ()


def found_contacts(
    ids: Collection[UUID], at: datetime, linked: Mapping[UUID, tuple[UUID, ...]]
) -> list[Found]:
    """Return the contacts of these people with those of the rows linked to them, whoever reads; one query."""
    found = {}
    asked = [*ids, *(row for rows in linked.values() for row in rows)]
    for pk, last, following, ahead, said, message in _contacts(asked, at, floor_of(at - WRITTEN)):
        wrote = time_of(message) if message else None
        ends = [moment for moment in (ahead, wrote and wrote + WRITTEN) if moment is not None]
        found[pk] = Found(pk, last, following, said, wrote, min(ends, default=None))
    return [
        _joined(found[pk], [found[row] for row in linked.get(pk, ()) if row in found])
        for pk in ids if pk in found
    ]  # fmt: skip


def _joined(own: Found, others: list[Found]) -> Found:
    """Return the contacts of a person's rows as one; a session that may be shut on any row stands for all."""
    if not others:
        return own
    rows = [own, *others]
    lasts = [one.last for one in rows]
    return Found(
        own.pk,
        LABELLED if LABELLED in lasts else _newest(lasts),
        _soonest(one.following for one in rows),
        _newest(one.said for one in rows),
        _newest(one.wrote for one in rows),
        _soonest(one.until for one in rows),
        tuple(one.pk for one in others),
    )


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max(filter(None, moments), default=None)


def _soonest(moments: Iterable[datetime | None]) -> datetime | None:
    return min(filter(None, moments), default=None)


def told(user: User, found: Collection[Found], at: datetime) -> dict[UUID, Contact]:
    """Return what labels leave of these contacts to `user`, who treats or covers these people.

    No query, and two where the last or the next session of anybody has a label that may shut it.
    """
    asked = {one.pk: (one.pk, *one.linked) for one in found if LABELLED in (one.last, one.following)}
    opened = _opened(user, [row for rows in asked.values() for row in rows], at) if asked else {}
    contacts = {}
    for one in found:
        last, following = one.last, one.following
        if one.pk in asked:
            both = [opened[row] for row in asked[one.pk] if row in opened]
            last, following = _newest(each[0] for each in both), _soonest(each[1] for each in both)
        contacts[one.pk] = Contact(last, following, one.said, one.wrote)
    return contacts


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
    held = own.filter(started_at__lte=at, status__in=MET).order_by("-started_at")
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
