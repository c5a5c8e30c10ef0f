"""Writes of the demo: one fictional person with everything that is known of them, and their notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Mode
from clinical.assessments.queries import standing
from clinical.backoffice.sittings.actions import add_sessions
from clinical.notes.actions import begin_note, label_note, save_draft, sign_note
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.linked import is_asked
from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.scheduling.actions import book_appointment, note_held, note_no_show
from clinical.scheduling.billing.actions import add_code, bill_appointment
from clinical.scheduling.billing.models import BillingCode
from clinical.timeline.actions import pin_entry, review_finding
from cortex.accounts.models import User
from cortex.audit import Actor, action, record
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from cortex.ids import uuid7
from crisis.intake.actions import take_batch
from crisis.intake.parcels import Parcel
from crisis.risk.queries import assessments
from patients.care.actions import add_to_care_team
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.records import RegisterPatient


@action
def add_person(
    *,
    actor: Actor,
    data: RegisterPatient,
    therapist: User | None,
    parcel: Parcel,
    measures: list[tuple[str, datetime, dict[str, int | None]]],
    notes: list[dict[str, Any]],
    since: datetime,
    also: Sequence[Callable[[UUID], object]] = (),
    at: datetime | None = None,
) -> Patient:
    """Register a fictional person, send their two weeks, and the questionnaires that they filled in.

    `also` are further writes about the person, given their id. All or nothing, so that a load that was
    interrupted goes on with the next person.
    """
    at = clock(at)
    patient = register_patient(actor=actor, organization_id=parcel.organization_id, data=data, at=at)
    if therapist is not None:
        add_to_care_team(
            actor=actor,
            patient_id=patient.pk,
            user_id=therapist.pk,
            role="primary_therapist",
            starts_at=since,
            at=at,
        )
    take_batch(actor=actor, parcel=parcel, at=at)
    for key, given, answers in measures:
        finish_assessment(
            actor=actor, patient_id=patient.pk, key=key, answers=answers, mode=Mode.SELF,
            administered_at=given, at=at,
        )  # fmt: skip
    if therapist is not None:
        add_sessions(actor=actor, patient_id=patient.pk, therapist_id=therapist.pk, since=since, at=at)
    for write in also:
        write(patient.pk)
    for one in notes:
        if therapist is not None:
            write_note(actor=actor_of_user(therapist), patient_id=patient.pk, note=one, at=at)
    if therapist is not None:
        _mark_up(actor_of_user(therapist), patient, at)
    record(actor, "demo.person_added", patient, subject=patient.pk)
    return patient


@action
def write_note(*, actor: Actor, patient_id: UUID, note: dict[str, Any], at: datetime) -> UUID:
    """Write a fictional note as its therapist would have, `days` ago; sign it where it says so."""
    when = at - timedelta(days=note["days"])
    where: dict[str, Any] = {"actor": actor, "patient_id": patient_id}
    row = begin_note(note_type=note["type"], at=when, **where)
    due = when.date() + timedelta(days=note["next"]) if "next" in note else None
    found = diagnoses_of(row.patient) if is_asked(note["type"]) else []
    saved = save_draft(
        note_id=row.pk, version=row.version, spell=uuid7(), number=1, sections=note,
        follow_up_on=due, diagnoses=[one.pk for one in found] or None, at=when, **where,
    )  # fmt: skip
    if note.get("labels"):
        label_note(note_id=row.pk, labels=note["labels"], at=when, **where)
    if note["signed"]:
        sign_note(note_id=row.pk, version=saved.note.version, at=when + timedelta(hours=1), **where)
    if "addendum" in note:
        later = when + timedelta(hours=6)
        added = write_addendum(note_id=row.pk, text=note["addendum"], at=later, **where).addendum
        sign_addendum(note_id=row.pk, version=added.version, at=later, **where)
    record(actor, "demo.note_written", row, subject=patient_id)
    note_id: UUID = row.pk
    return note_id


@action
def date_rows(*, actor: Actor, rows: Sequence[Any], at: datetime) -> None:
    """Let rows about a fictional person have come at a time: what changed since a session goes by it."""
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(created_at=at, updated_at=at)
    record(actor, "demo.rows_dated", rows[0], subject=rows[0].patient_id)


def _mark_up(clinician: Actor, patient: Patient, at: datetime) -> None:
    """Let the therapist pin the newest measure and say what they think of the level, as they would."""
    done = standing([patient.pk])
    if done:
        pin_entry(actor=clinician, patient_id=patient.pk, source="measure", item_id=done[-1].pk, at=at)
    levels = assessments(patient.pk, limit=1)
    if levels:
        review_finding(
            actor=clinician, patient_id=patient.pk, source="level", finding_id=levels[0].pk,
            verdict="accepted", comment="Fits what I heard in our last talk. (fictional)", at=at,
        )  # fmt: skip


@action
def add_tariffs(*, actor: Actor, tariffs: list[dict[str, Any]]) -> list[BillingCode]:
    """Give an organization tariffs of its own: payers of its country use no public numbers."""
    rows = [
        add_code(actor=actor, organization_id=actor.organization_id, active_from=date(2026, 1, 1), **one)
        for one in tariffs
    ]
    record(actor, "demo.tariffs_added", rows[0])
    return rows


@action
def add_appointments(
    *, actor: Actor, patient_id: UUID, therapist_id: UUID, past: list[datetime], coming: list[datetime],
    missed: bool, at: datetime | None = None,
) -> None:  # fmt: skip
    """Fill a person's calendar: held (and billed) or missed ones behind, planned ones ahead."""
    book = partial(
        book_appointment, actor=actor, patient_id=patient_id, minutes=50, therapist_id=therapist_id, at=at
    )
    for number, start in enumerate(past):
        (one,) = book(starts=[start])
        if missed and number == 0:
            note_no_show(actor=actor, appointment_id=one.pk, at=at)
            continue
        note_held(actor=actor, appointment_id=one.pk, at=at)
        bill_appointment(actor=actor, appointment_id=one.pk, minutes=48 + number, at=at)
    if coming:
        book(starts=coming)
    record(actor, "demo.appointments_added", None, subject=patient_id)
