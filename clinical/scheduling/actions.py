"""Writes of a calendar: book, move, call off, note what became of one, and remind of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from clinical.scheduling import queries
from clinical.scheduling.billing.actions import propose_line as propose_line
from clinical.scheduling.billing.actions import void_proposed
from clinical.scheduling.models import (
    CHANNELS,
    LONGEST,
    Appointment,
    AppointmentReminder,
    CalendarPreference,
    CancelReason,
    Kind,
    Outcome,
    Status,
)
from clinical.scheduling.queries import MOVED, REMINDER, TAKEN_OFF, Clash
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.ids import uuid7
from cortex.ops.notices.actions import notify, overtake
from cortex.ui.zone import zone_of
from patients.registry import access
from patients.registry.models import Patient

# [P] how long before an appointment its therapist is reminded, and what a series is at most.
REMIND_BEFORE = timedelta(hours=24)
MOST_WEEKS = 26
# An appointment that was noted wrongly may be put back for this long.
MAY_UNDO = timedelta(days=7)
SHORTEST = timedelta(minutes=5)


@action
def book_appointment(
    *, actor: Actor, patient_id: UUID, starts: Sequence[datetime], minutes: int, kind: str = Kind.SESSION,
    channel: str = "in_person", leave_out_taken: bool = False, beside_others: bool = False,
    therapist_id: UUID | None = None, at: datetime | None = None,
) -> list[Appointment]:  # fmt: skip
    """Book one appointment, or a weekly series (several `starts`), with oneself unless the system books.

    What is in the way is told (RuleBroken `taken`, 409) and nothing is booked, unless `leave_out_taken`
    says to book the other weeks; another appointment of the same person with a colleague stands in the way
    until `beside_others` says that it is known.
    """
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    therapist = therapist_id if actor.is_system and therapist_id else actor.person.pk
    _check(starts, minutes, kind, channel, at)
    length = timedelta(minutes=minutes)
    ways = {
        start: queries.clashes(therapist_id=therapist, patient_id=who.pk, start=start, end=start + length)
        for start in starts
    }
    taken = {start: way for start, way in ways.items() if _stands_in(way, beside_others)}
    if taken and not (leave_out_taken and len(taken) < len(starts)):
        raise _told(who, list(taken.values()), len(starts))
    series = uuid7() if len(starts) > 1 else None
    rows = [
        _write(actor, who, therapist, start, length, kind, channel, series, at)
        for start in starts if start not in taken
    ]  # fmt: skip
    codes = {"count": len(rows), "left_out": len(taken), "kind": kind, "channel": channel}
    record(actor, "appointment.booked", rows[0], subject=who.pk, codes=codes)
    return rows


def _check(starts: Sequence[datetime], minutes: int, kind: str, channel: str, at: datetime) -> None:
    for start in starts:
        refuse_far(at, day=start)
    if not 1 <= len(starts) <= MOST_WEEKS:
        raise InputRefused(f"A series has 1 to {MOST_WEEKS} appointments.", "too_many", field="weeks")
    if not SHORTEST <= timedelta(minutes=minutes) <= LONGEST:
        raise InputRefused("An appointment takes 5 minutes to 8 hours.", "bad_length", field="minutes")
    if kind not in Kind.values or channel not in CHANNELS:
        raise InputRefused("Choose what it is and where.", "required", field="kind")


def _stands_in(way: list[Clash], beside_others: bool) -> bool:
    return any(one.is_own or not beside_others for one in way)


def _told(who: Patient, ways: list[list[Clash]], wanted: int) -> RuleBroken:
    """Say what is in the way; the times stand in the zone that is in force."""
    clashes = [one for way in ways for one in way]
    own = [one for one in clashes if one.is_own]
    code, several = ("taken" if own else "person_taken"), wanted > 1
    first = (own or clashes)[0]
    if own:
        words = "You have another appointment then"
    else:
        words = "This person has an appointment with a colleague then"
    tail = " Tick below to book the other weeks." if several and own else ""
    tail = tail or ("" if own else " Tick below if that is known.")
    return RuleBroken(
        f"{words}.{f' {len(ways)} of {wanted} weeks are taken.' if several else ''}{tail}", code,
        clashes=[{"start": one.starts_at, "end": one.ends_at} for one in clashes],
        appointment_id=str(first.appointment_id),
    )  # fmt: skip


def _write(
    actor: Actor, who: Patient, therapist: UUID, start: datetime, length: timedelta, kind: str, channel: str,
    series: UUID | None, at: datetime,
) -> Appointment:  # fmt: skip
    row = Appointment(
        organization_id=who.organization_id, patient=who, therapist_id=therapist, starts_at=start,
        ends_at=start + length, kind=kind, channel=channel, series_id=series,
    )  # fmt: skip
    _keep(row)
    _remind(row, at)
    return row


def _keep(row: Appointment, fields: Sequence[str] = ()) -> None:
    """Save a row; whoever lost a race to the same hour is told as if they had come later."""
    try:
        with transaction.atomic():
            if fields:
                row.save(update_fields=[*fields, "updated_at"])
            else:
                row.save(force_insert=True)
    except IntegrityError as error:
        if "appointment_therapist_once" not in str(error):
            raise
        raise RuleBroken("You have another appointment then.", "taken") from error


def _remind(row: Appointment, at: datetime) -> None:
    """Plan the reminder anew; what begins sooner than that needs none."""
    due = row.starts_at - REMIND_BEFORE
    existing = queries.reminder_of(row)
    if due <= at and existing is None:
        return
    values = {
        "organization_id": row.organization_id, "patient_id": row.patient_id, "due_at": due,
        "done_at": None if due > at else at, "outcome": "" if due > at else Outcome.OVERTAKEN,
        "may_text": None,
    }  # fmt: skip
    AppointmentReminder.objects.update_or_create(appointment=row, defaults=values)


def _end_reminders(actor: Actor, rows: Sequence[Appointment], at: datetime) -> None:
    """End what would be told of these, and put away what was: what became of them is known."""
    waiting = AppointmentReminder.objects.filter(appointment__in=rows, done_at__isnull=True)
    waiting.update(done_at=at, outcome=Outcome.OVERTAKEN)
    people, ids = {one.therapist_id for one in rows}, [one.pk for one in rows]
    overtake(actor=actor, user_ids=people, code=REMINDER, object_ids=ids, at=at)


@action
def move_appointment(
    *, actor: Actor, appointment_id: UUID, start: datetime, minutes: int | None = None,
    beside_others: bool = False, at: datetime | None = None,
) -> Appointment:  # fmt: skip
    """Move a planned appointment; what is in the way is told, and nothing is moved."""
    at = clock(at)
    row = _open(actor, appointment_id, at)
    length = timedelta(minutes=minutes) if minutes is not None else row.ends_at - row.starts_at
    if (start, length) == (row.starts_at, row.ends_at - row.starts_at):
        return Unchanged(row)  # type: ignore[return-value]
    _check([start], int(length.total_seconds() // 60), row.kind, row.channel, at)
    way = queries.clashes(
        therapist_id=row.therapist_id,
        patient_id=row.patient_id,
        start=start,
        end=start + length,
        besides=row.pk,
    )
    if _stands_in(way, beside_others):
        raise _told(row.patient, [way], 1)
    row.moved_from, row.starts_at, row.ends_at = row.starts_at, start, start + length
    _keep(row, ["moved_from", "starts_at", "ends_at"])
    if row.starts_at != row.moved_from:
        # What was told of is another hour: of the new one its therapist is told in turn.
        overtake(actor=actor, user_ids=[row.therapist_id], code=REMINDER, object_ids=[row.pk], at=at)
    _remind(row, at)
    fields = ["starts_at", "ends_at"]
    record(actor, "appointment.moved", row, subject=row.patient_id, fields=fields)
    _tell_whose(actor, row, MOVED)
    return row


@action
def cancel_appointment(
    *, actor: Actor, appointment_id: UUID, reason: str, and_later: bool = False, at: datetime | None = None
) -> list[Appointment]:
    """Call off a planned appointment with a coded reason; `and_later` also the later ones of its series.

    One's own hour that is to come or not noted can be called off whoever treats the person now. What a
    colleague took over of the series stays.
    """
    if reason not in CancelReason.values:
        raise InputRefused("Choose why it is called off.", "required", field="reason")
    at = clock(at)
    row = _open(actor, appointment_id, at, or_own_left=True)
    rows = [row]
    if and_later and row.series_id is not None:
        later = Appointment.objects.select_for_update(of=("self",)).filter(
            series_id=row.series_id,
            therapist_id=row.therapist_id,
            status=Status.SCHEDULED,
            starts_at__gt=row.starts_at,
        )
        rows += list(later.order_by("starts_at"))
    for one in rows:
        _note(actor, one, Status.CANCELLED, at, reason)
    _end_reminders(actor, rows, at)
    codes = {"reason": reason, "count": len(rows)}
    record(actor, "appointment.cancelled", row, subject=row.patient_id, fields=["status"], codes=codes)
    _tell_whose(actor, row, TAKEN_OFF)
    return rows


def _tell_whose(actor: Actor, row: Appointment, code: str) -> None:
    """Tell a therapist what somebody else did with an hour of theirs."""
    if row.therapist_id != actor.id:
        notify(
            actor=actor, organization_id=row.organization_id, user_ids=[row.therapist_id], code=code,
            object_type="clinical.Appointment", object_id=row.pk,
        )  # fmt: skip


@action
def note_no_show(*, actor: Actor, appointment_id: UUID, at: datetime | None = None) -> Appointment:
    """Note that the person did not come; it must have begun. One's own whoever treats the person now."""
    at = clock(at)
    row = _open(actor, appointment_id, at, or_own_left=True)
    _refuse_future(row, at)
    _note(actor, row, Status.NO_SHOW, at)
    _end_reminders(actor, [row], at)
    record(actor, "appointment.missed", row, subject=row.patient_id, fields=["status"])
    return row


@action
def note_held(
    *, actor: Actor, appointment_id: UUID, session_id: UUID | None = None, at: datetime | None = None
) -> Appointment:
    """Note that it took place, and as which session if one was run here; one's own as in `note_no_show`."""
    at = clock(at)
    row = _open(actor, appointment_id, at, or_own_left=True)
    _refuse_future(row, at)
    row.session_id = session_id or row.session_id
    _note(actor, row, Status.HELD, at)
    _end_reminders(actor, [row], at)
    record(actor, "appointment.held", row, subject=row.patient_id, fields=["status", "session"])
    return row


@action
def put_back(*, actor: Actor, appointment_id: UUID, at: datetime | None = None) -> Appointment:
    """Take back what was noted of an appointment (missed, held, called off) within a week.

    An hour of somebody who no longer treats the person stays as it is: it would be theirs again. What was
    proposed to be billed of it is taken out; a line that is confirmed or was exported keeps it as it is. The
    sitting stays, and is this hour's no more.
    """
    at = clock(at)
    row = queries.locked_appointment(actor, appointment_id, at)
    if row.status == Status.SCHEDULED:
        return Unchanged(row)  # type: ignore[return-value]
    if row.status_at is None or at - row.status_at > MAY_UNDO:
        raise RuleBroken("This was noted more than a week ago and stays.", "too_late")
    if not queries.still_theirs(actor, row, at):
        raise RuleBroken(
            "Whose hour it was no longer treats this person. Book it anew, with yourself.", "not_their_hour"
        )
    void_proposed(actor=actor, appointment=row, at=at)
    before = row.status
    row.status, row.cancel_reason, row.status_at, row.status_by = Status.SCHEDULED, "", at, actor.user
    # Which sitting it was is part of what was noted: planned again, it is none.
    row.session_id = None
    _keep(row, ["status", "cancel_reason", "status_at", "status_by", "session"])
    _remind(row, at)
    record(actor, "appointment.put_back", row, subject=row.patient_id, codes={"was": before})
    return row


def _open(actor: Actor, appointment_id: UUID, at: datetime, *, or_own_left: bool = False) -> Appointment:
    row = queries.locked_appointment(actor, appointment_id, at, or_own_left=or_own_left)
    if not row.is_open():
        raise RuleBroken(f"This appointment stands as: {row.get_status_display().lower()}.", "not_open")
    return row


def _refuse_future(row: Appointment, at: datetime) -> None:
    if row.starts_at > at:
        raise RuleBroken("It has not begun yet. Move it, or call it off.", "not_begun")


def _note(actor: Actor, row: Appointment, status: str, at: datetime, reason: str = "") -> None:
    row.status, row.cancel_reason, row.status_at, row.status_by = status, reason, at, actor.user
    _keep(row, ["status", "cancel_reason", "status_at", "status_by", "session"])


@action
def send_reminder(*, actor: Actor, reminder_id: UUID, at: datetime | None = None) -> Outcome | None:
    """Tell a therapist of a coming appointment, once; the person is told nothing by us.

    The notice says whether the person agreed to messages, so that the therapist knows whether to write.
    """
    at = clock(at)
    row = queries.free_reminder(reminder_id, at)
    if row is None:
        return Unchanged(None)  # type: ignore[return-value]
    one = row.appointment
    needed = one.is_open() and one.starts_at > at
    row.done_at, row.outcome = at, Outcome.TOLD if needed else Outcome.OVERTAKEN
    if needed:
        row.may_text = queries.may_text(one.patient_id, at)
        notify(
            actor=actor, organization_id=row.organization_id, user_ids=[one.therapist_id], code=REMINDER,
            object_type="clinical.Appointment", object_id=one.pk, codes={"may_text": row.may_text},
        )  # fmt: skip
    row.save(update_fields=["done_at", "outcome", "may_text", "updated_at"])
    codes = {"outcome": str(row.outcome)}
    record(actor, "appointment.reminded", one, subject=one.patient_id, codes=codes)
    return Outcome(row.outcome)


@quiet("the zone in which somebody reads their own calendar is a preference of theirs")
def choose_zone(*, actor: Actor, timezone: str) -> CalendarPreference:
    """Read one's calendar in this time zone from now on."""
    if timezone not in available_timezones():
        raise InputRefused("Choose a time zone of the list, such as Africa/Nairobi.", "zone_unknown",
                           field="timezone")  # fmt: skip
    user = actor.person
    if user.organization_id is None:
        raise NotFound("You belong to no organization.", "not_found")
    found, _ = CalendarPreference.objects.update_or_create(
        user=user, defaults={"timezone": zone_of(timezone).key, "organization_id": user.organization_id}
    )
    return found
