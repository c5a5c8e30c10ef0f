"""Writes of the demo: one fictional person with everything that is known of them."""

from __future__ import annotations

from datetime import datetime

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Mode
from clinical.assessments.queries import standing
from clinical.timeline.actions import pin_entry, review_finding
from cortex.accounts.models import User
from cortex.audit import Actor, action, record
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
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
    since: datetime,
    at: datetime | None = None,
) -> Patient:
    """Register a fictional person, send their two weeks, and the questionnaires that they filled in.

    All or nothing, so that a load that was interrupted goes on with the next person.
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
        _mark_up(actor_of_user(therapist), patient, at)
    record(actor, "demo.person_added", patient, subject=patient.pk)
    return patient


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
