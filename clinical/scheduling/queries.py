"""Reads of appointments: a therapist's week, a person's next one, and what stands in the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max, Min, Q, QuerySet

from clinical.scheduling.models import Appointment, AppointmentReminder, CalendarPreference, Status
from clinical.sessions.labels import Reach, reach_by
from cortex.access.context import AccessContext
from cortex.accounts.models import User
from cortex.audit import Actor, NotFound
from cortex.ops.models import Notification
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from patients.care.queries import treated_ids
from patients.labels.queries import standing, standings
from patients.privacy.queries import consent_state
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import NAMES, Named, named, rows_of
from patients.sessions.models import Session

REMINDER = "appointment.reminder"
# Handed over, but the hour was taken: it is booked anew, or ticked off.
REBOOK = "appointment.rebook"
# A colleague's discharge called it off.
CALLED_OFF = "appointment.called_off"
# A colleague moved it, or called it off, while care goes on.
MOVED, TAKEN_OFF = "appointment.moved", "appointment.cancelled"
MOST_REMINDERS = 50
LISTED = 50
# A sitting that began so near to an appointment was that one.
NEAR = timedelta(hours=1)
# It took place, and no session was run here: one that was tells of itself, as far as its labels let it.
HELD_ALONE = Q(status=Status.HELD, session__isnull=True)


def zone(user: User) -> ZoneInfo:
    """Return the time zone in which somebody reads their calendar."""
    own = CalendarPreference.objects.filter(user=user).values_list("timezone", flat=True).first()
    return zone_of(own or (user.organization.default_timezone if user.organization else "UTC"))


def preference(user: User) -> CalendarPreference | None:
    """Return somebody's own choice of a zone, or None."""
    return CalendarPreference.objects.filter(user=user).first()


def week(user: User, start: datetime, end: datetime) -> list[Appointment]:
    """Return a therapist's appointments that overlap [start, end), those called off too; one query."""
    rows = Appointment.objects.filter(therapist=user).within(start, end)
    return list(rows.select_related("patient").order_by("starts_at", "pk"))


def open_names(context: AccessContext, people: Iterable[Patient]) -> dict[UUID, Named]:
    """Return the names of those of these people who are open to the reader, and note the look.

    Whom the reader no longer treats stays a pseudonym: an appointment outlives a care team.
    """
    found = {one.pk: one for one in people}
    related = access.relations(context.actor, found.keys(), access.CHART)
    context.open([found[pk] for pk in related], NAMES)
    context.saw("appointments", subjects=sorted(found), object_type="clinical.Appointment")
    return {pk: named(one) if pk in related else Named(one.anonymous_id) for pk, one in found.items()}


def own_people(user: User, at: datetime) -> list[Patient]:
    """Return those whom somebody treats or covers, for a choice; active ones only."""
    people = Patient.objects.active().canonical().filter(pk__in=treated_ids(user, at))
    return list(people.order_by("anonymous_id"))


def next_starts(patient_ids: Iterable[UUID], at: datetime) -> dict[UUID, datetime]:
    """Return when the next planned appointment of each of these rows begins that has one; one query."""
    return dict(_next_of_each(list(patient_ids), at))


@kept
def _next_of_each(patient_ids: list[UUID], at: datetime) -> QuerySet[Appointment, tuple[UUID, datetime]]:
    rows = Appointment.objects.filter(patient_id__in=patient_ids, status=Status.SCHEDULED, ends_at__gt=at)
    soonest = rows.order_by("patient_id", "starts_at").distinct("patient_id")
    return soonest.values_list("patient_id", "starts_at")


def last_and_next(
    patient_ids: Iterable[UUID], at: datetime
) -> dict[UUID, tuple[datetime | None, datetime | None]]:
    """Return when the last one of each of these rows began that was held without a session here, and when the
    next planned one begins; rows that have neither are left out. One query.
    """
    return {pk: (last, following) for pk, last, following in _held_and_planned(list(patient_ids), at)}


@kept
def _held_and_planned(patient_ids: list[UUID], at: datetime) -> QuerySet[Appointment, Any]:
    held = Q(HELD_ALONE, starts_at__lte=at)
    planned = Q(status=Status.SCHEDULED, ends_at__gt=at)
    rows = Appointment.objects.filter(held | planned, patient_id__in=patient_ids).order_by()
    return (
        rows.values("patient_id")
        .annotate(last=Max("starts_at", filter=held), following=Min("starts_at", filter=planned))
        .values_list("patient_id", "last", "following")
    )


def open_hours(who: Reach) -> Q:
    """Return the condition on a person's appointments that labels of their sittings leave open."""
    return Q(session__isnull=True) | Q(therapist_id=who.user_id) | who.sessions("session__")


def is_open_hour(user: User, row: Appointment, at: datetime) -> bool:
    """Whether an appointment of somebody whose chart is open to the user is so too: see `open_hours`."""
    if row.session_id is None or row.therapist_id == user.pk:
        return True
    who = reach_by(user.pk, standing(user, row.patient, at))
    return Appointment.objects.filter(open_hours(who), pk=row.pk).exists()


def open_of(user: User, rows: Iterable[Appointment], at: datetime) -> set[UUID]:
    """Return which of these appointments, with their people, are open to the user, as `is_open_hour` says.

    Three queries, and none where nobody else's sitting is among them.
    """
    found = {one.pk: one for one in rows}
    asked = [one for one in found.values() if one.session_id is not None and one.therapist_id != user.pk]
    opened = found.keys() - {one.pk for one in asked}
    if not asked:
        return opened
    people: dict[Reach, list[UUID]] = defaultdict(list)
    for pk, stands in standings(
        user, list({one.patient_id: one.patient for one in asked}.values()), at
    ).items():
        people[reach_by(user.pk, stands)].append(pk)
    shown = Q()
    for who, ids in people.items():
        shown |= Q(open_hours(who), patient_id__in=ids)
    among = Appointment.objects.filter(shown, pk__in=[one.pk for one in asked])
    return opened | set(among.values_list("pk", flat=True))


def of_person(
    patient_ids: Iterable[UUID], who: Reach, at: datetime
) -> tuple[list[Appointment], list[Appointment]]:
    """Return a person's coming appointments, soonest first, and those behind them, newest first.

    One whose sitting a label shuts to the reader is left out: it would tell when, with whom and of what kind
    it was. One's own stays.
    """
    rows = Appointment.objects.filter(open_hours(who), patient_id__in=list(patient_ids))
    rows = rows.select_related("therapist")
    coming = list(rows.filter(ends_at__gt=at).order_by("starts_at")[:LISTED])
    return coming, list(rows.filter(ends_at__lte=at).order_by("-starts_at")[:LISTED])


def appointment(actor: Actor, appointment_id: UUID, at: datetime) -> tuple[Appointment, bool]:
    """Return one appointment, and whether the chart of its person is open to the actor.

    Without the chart it opens while it is the actor's own and to come or not noted, and once they noted it;
    NotFound for any other, and for one whose sitting a label shuts.
    """
    rows = Appointment.objects.select_related("patient", "therapist", "status_by")
    found = rows.filter(pk=appointment_id).first()
    if found is None:
        raise NotFound
    related = access.relations(actor, {found.patient_id}, access.CHART, at)
    if not (is_open_hour(actor.person, found, at) if related else _is_own_left(actor, found, at)):
        raise NotFound
    return found, bool(related)


def locked_appointment(
    actor: Actor, appointment_id: UUID, at: datetime, *, or_own_left: bool = False
) -> Appointment:
    """Lock and return one appointment that is open to the actor, as `appointment` has it; NotFound otherwise.

    With `or_own_left` also one's own that is to come or not noted, whoever treats the person now.
    """
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("patient")
    found = rows.filter(pk=appointment_id).first()
    if found is None:
        raise NotFound
    if not (or_own_left and _is_own_left(actor, found, at)):
        access.treated(actor, found.patient_id, at)
        if not actor.is_system and not is_open_hour(actor.person, found, at):
            raise NotFound
    return found


def still_theirs(actor: Actor, row: Appointment, at: datetime) -> bool:
    """Whether an hour may be its therapist's again: the actor's own, or of somebody who treats the person."""
    return row.therapist_id == actor.id or not treated_ids(row.therapist, at).isdisjoint(rows_of(row.patient))


def _is_own_left(actor: Actor, row: Appointment, at: datetime) -> bool:
    """Whether it is the actor's own hour, and theirs to settle: to come, or not noted, or noted by them.

    Nobody holds an hour that they can't call off, and what had begun when care ended is theirs to note.
    """
    own = actor.kind == "user" and row.therapist_id == actor.id
    return own and (row.is_open() or row.starts_at > at or row.status_by_id == actor.id)


@dataclass(frozen=True, slots=True)
class Clash:
    """An appointment in the way: the therapist's own (`is_own`), or another of the same person."""

    appointment_id: UUID
    starts_at: datetime
    ends_at: datetime
    is_own: bool


def clashes(
    *, therapist_id: UUID, patient_id: UUID, start: datetime, end: datetime, besides: UUID | None = None
) -> list[Clash]:
    """Return what overlaps [start, end): of the therapist, and of the person with anybody."""
    rows = Appointment.objects.taking().within(start, end)
    if besides is not None:
        rows = rows.exclude(pk=besides)
    mine = rows.filter(therapist_id=therapist_id)
    theirs = rows.filter(patient_id=patient_id).exclude(therapist_id=therapist_id)
    return [
        Clash(one.pk, one.starts_at, one.ends_at, one.therapist_id == therapist_id)
        for one in mine.union(theirs).order_by("starts_at")
    ]


def appointment_of(session_id: UUID) -> Appointment | None:
    """Lock and return the planned appointment that a sitting was, or None: its clinician's with that person,
    begun by the sitting's end, and the nearest to its beginning within an hour.
    """
    sitting = Session.objects.filter(pk=session_id).select_related("run", "patient").first()
    if sitting is None or sitting.ended_at is None or getattr(sitting, "run", None) is None:
        return None
    rows = Appointment.objects.select_for_update(of=("self",)).filter(
        therapist_id=sitting.run.clinician_id, patient_id__in=rows_of(sitting.patient),
        status=Status.SCHEDULED, starts_at__gte=sitting.started_at - NEAR,
        starts_at__lte=min(sitting.started_at + NEAR, sitting.ended_at),
    )  # fmt: skip
    return min(rows, key=lambda one: abs(one.starts_at - sitting.started_at), default=None)


def due_reminders(at: datetime, most: int = 500) -> list[UUID]:
    """Return reminders whose time has come and that nobody took, the oldest first."""
    rows = AppointmentReminder.objects.filter(due_at__lte=at, done_at__isnull=True)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:most])


def free_reminder(reminder_id: UUID, at: datetime) -> AppointmentReminder | None:
    """Lock and return a reminder that is due and that no other worker holds, else None."""
    rows = AppointmentReminder.objects.select_for_update(of=("self",), skip_locked=True)
    due = rows.filter(pk=reminder_id, due_at__lte=at, done_at__isnull=True)
    return due.select_related("appointment").first()


def reminder_of(row: Appointment) -> AppointmentReminder | None:
    """Return the reminder of an appointment, or None."""
    return AppointmentReminder.objects.filter(appointment=row).first()


def may_text(patient_id: UUID, at: datetime) -> bool:
    """Whether the person agreed to messages by telephone or mail."""
    consent = "messaging_sms_email"
    person = Patient.objects.filter(pk=patient_id).values_list("person_id", flat=True).first() or patient_id
    return consent_state([person], [consent], at)[person, consent]


def notices(user: User, at: datetime) -> list[dict[str, Any]]:
    """Return what somebody hasn't ticked off: what is to be booked anew, and reminders of what isn't over.

    Two queries. Nobody else tells what is to be booked anew, so reminders never push it out.
    """
    told = Notification.objects.filter(recipient=user, read_at__isnull=True)
    standing = Appointment.objects.filter(therapist=user, ends_at__gt=at)
    reminders = told.filter(code=REMINDER, object_id__in=standing.values("pk"))
    rows = list(told.filter(code=REBOOK).union(reminders[:MOST_REMINDERS], all=True))
    found = Appointment.objects.select_related("patient").in_bulk([row.object_id for row in rows])
    shown = [{"notice": row, "appointment": found.get(row.object_id)} for row in rows]
    return sorted(
        (one for one in shown if one["appointment"] is not None), key=lambda one: one["appointment"].starts_at
    )
