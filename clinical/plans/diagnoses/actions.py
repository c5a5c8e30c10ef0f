"""Writes of diagnoses and favourites; a code is checked against the table first."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from clinical.plans.diagnoses import icd, queries
from clinical.plans.diagnoses.models import Diagnosis, DiagnosisFavourite, DiagnosisStatus
from clinical.plans.labels import shut_to
from clinical.plans.queries import treated_to_write
from clinical.plans.seen import refuse_changed
from cortex.access.context import opening
from cortex.accounts.models import Role
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.records import version_of
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import local_day

DIAGNOSING = frozenset({Role.THERAPIST, Role.PSYCHIATRIST})
PART2 = "SUD_PART2"
IN_ERROR = "This was entered in error. Undo that before you change it."


@action
def add_diagnosis(
    *, actor: Actor, patient_id: UUID, code: str, status: str, onset: date | None = None, note: str = "",
    at: datetime | None = None,
) -> Diagnosis:  # fmt: skip
    """Record a diagnosis by its ICD-10-CM code; InputRefused for one that isn't in the table or not billable.

    In a Part 2 program codes of substance use are labelled by themselves (domain 7.4).
    """
    at = clock(at)
    patient = treated_to_write(actor, patient_id, at)
    # Whoever sees the chart for a while would learn from a refusal which code stands behind a label.
    access.of_the_team(actor, patient_id, at)
    _refuse_others(actor)
    entry = _entry(code)
    _check(patient, status, onset, at)
    if queries.has_code(patient, entry.code):
        raise InputRefused(f"{entry.code} stands already. Change that entry.", "twice", field="code")
    protected = icd.is_part2(entry.code) and queries.is_part2_program(patient.organization_id)
    row = Diagnosis(
        organization_id=patient.organization_id, patient=patient, code=entry.code, title=entry.title,
        status=status, onset=onset, recorded_by=actor.user,
        resolved_on=local_day(patient, at) if status == DiagnosisStatus.REMISSION else None,
        sensitivity_labels=[PART2] if protected else [],
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([patient.pk], create=True)
        row.note = note.strip() or None
        row.save(force_insert=True)
    codes = {"status": status, "labels": row.sensitivity_labels}
    # The code itself says what a person has: the trail names the row, never the code.
    record(actor, "diagnosis.added", row, codes=codes)
    return row


@action
def change_diagnosis(
    *, actor: Actor, patient_id: UUID, diagnosis_id: UUID, status: str, onset: date | None = None,
    note: str = "", seen: str | None = None, at: datetime | None = None,
) -> Diagnosis:  # fmt: skip
    """Change how sure a diagnosis is, since when, or its note; another code is another diagnosis.

    RuleBroken `changed_meanwhile` when the row isn't the one that the form has `seen`.
    """
    at = clock(at)
    patient = treated_to_write(actor, patient_id, at)
    _refuse_others(actor)
    _check(patient, status, onset, at)
    row = queries.locked_diagnosis(patient, diagnosis_id, shut_to(actor, patient, at))
    if row.is_in_error:
        raise RuleBroken(IN_ERROR, "in_error")
    stands = status != DiagnosisStatus.RULED_OUT
    if stands and queries.has_code(patient, row.code, besides=row.pk):
        raise RuleBroken(f"Another entry of {row.code} stands.", "twice")
    with opening(actor, purpose="treatment") as context:
        context.open([row])
        wanted = {"status": status, "onset": onset, "note": note.strip() or None}
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if not changed:
            return Unchanged(row)  # type: ignore[return-value]
        refuse_changed(version_of(row), seen)
        row.status, row.onset, row.note = status, onset, wanted["note"]  # type: ignore[assignment]
        over = status in (DiagnosisStatus.REMISSION, DiagnosisStatus.RULED_OUT)
        row.resolved_on = (row.resolved_on or local_day(patient, at)) if over else None
        if onset and row.resolved_on and row.resolved_on < onset:
            told = f"It is over since {row.resolved_on:%-d %b %Y}: it began before that."
            raise InputRefused(told, "begins_after_end", field="onset")
        row.save()
    record(actor, "diagnosis.changed", row, fields=changed, codes={"status": status})
    return row


@action
def mark_error(
    *, actor: Actor, patient_id: UUID, diagnosis_id: UUID, at: datetime | None = None
) -> Diagnosis:
    """Mark a diagnosis as entered in error: the person doesn't have it, and it stays on record."""
    _, row = _locked(actor, patient_id, diagnosis_id, clock(at))
    if row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    row.save(update_fields=row.mark_error(DiagnosisStatus.RULED_OUT))
    record(actor, "diagnosis.entered_in_error", row, codes={"before": row.status_before})
    return row


@action
def undo_error(
    *, actor: Actor, patient_id: UUID, diagnosis_id: UUID, at: datetime | None = None
) -> Diagnosis:
    """Take the mark of an error away; RuleBroken when the code was recorded once more meanwhile."""
    patient, row = _locked(actor, patient_id, diagnosis_id, clock(at))
    if not row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    stands = row.status_before != DiagnosisStatus.RULED_OUT
    if stands and queries.has_code(patient, row.code, besides=row.pk):
        raise RuleBroken(f"Another entry of {row.code} stands.", "twice")
    row.save(update_fields=row.undo_error())
    record(actor, "diagnosis.error_undone", row, codes={"status": row.status})
    return row


def _locked(actor: Actor, patient_id: UUID, diagnosis_id: UUID, at: datetime) -> tuple[Patient, Diagnosis]:
    patient = treated_to_write(actor, patient_id, at)
    _refuse_others(actor)
    return patient, queries.locked_diagnosis(patient, diagnosis_id, shut_to(actor, patient, at))


def _refuse_others(actor: Actor) -> None:
    if actor.kind == "user" and actor.role not in DIAGNOSING:
        raise RuleBroken("Therapists and psychiatrists record diagnoses.", "clinician_needed")


def _entry(code: str) -> icd.Entry:
    entry = icd.entry(code)
    if entry is None:
        raise InputRefused(
            "This code is not in the table of mental-health codes. Search by words.", "code_unknown",
            field="code",
        )  # fmt: skip
    if not entry.billable:
        below = ", ".join(one.code for one in icd.children(entry.code)[:6])
        raise InputRefused(
            f"{entry.code} is too general to be recorded. Choose one below it: {below}.", "not_billable",
            field="code",
        )  # fmt: skip
    return entry


def _check(patient: Patient, status: str, onset: date | None, at: datetime) -> None:
    if status not in DiagnosisStatus.values:
        raise InputRefused("Say how sure it is.", "status_unknown", field="status")
    refuse_far(at, onset=onset)
    if onset is not None and onset > local_day(patient, at):
        raise InputRefused("This lies in the future.", "in_the_future", field="onset")


@quiet("which codes somebody keeps at hand is their own; no person is concerned")
def mark_favourite(*, actor: Actor, code: str, keep: bool, at: datetime | None = None) -> DiagnosisFavourite:
    """Keep a code among one's favourites, or put it away; InputRefused for one that can't be recorded."""
    entry = _entry(code)
    user = actor.person
    mark = queries.favourite(user.pk, entry.code) or DiagnosisFavourite(
        organization_id=user.organization_id, user=user, code=entry.code
    )
    mark.hidden = not keep
    mark.save()
    return mark
