"""Reads of legal holds: whose records are held, since when, and what a hold refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Exists, Min, OuterRef, Q, QuerySet, Subquery, UUIDField

from cortex.audit import RuleBroken
from cortex.ops.postgres.questions import kept
from patients.codes import HeldRecords
from patients.holds.models import LegalHold, LegalHoldQuerySet
from patients.registry.models import Patient
from patients.sessions.models import Session

KEPT = "A legal hold keeps this record; it can't be deleted until it is released."


def locked(hold_id: UUID, organization_id: UUID | None) -> LegalHold | None:
    """Lock and return one of an organization, or None."""
    rows = LegalHold.objects.select_for_update(of=("self",))
    return rows.filter(pk=hold_id, organization=organization_id).first()


def running_for(patient_id: UUID, matter: str) -> LegalHold | None:
    """Return what holds a person for a matter now, or None."""
    return LegalHold.objects.running().filter(patient_id=patient_id, matter=matter).first()


def of_person(patient_id: UUID) -> LegalHoldQuerySet:
    """Return the running holds of the person behind a row, whichever row they were issued for."""
    person = Patient.objects.filter(pk=patient_id).values("person_id")
    return LegalHold.objects.running().filter(patient__person_id__in=person)


def held_since(patient_id: UUID) -> datetime | None:
    """Return since when a person is under a hold of any scope, or None."""
    since: datetime | None = of_person(patient_id).order_by().aggregate(since=Min("issued_at"))["since"]
    return since


def is_held(patient_id: UUID, kind: str, moment: datetime | None = None) -> bool:
    """Whether a hold keeps a person's records of a kind (`HeldRecords`), or the one of that moment."""
    holds = of_person(patient_id).covering(kind)
    return (holds if moment is None else holds.around(moment)).exists()


def refuse_held(patient_id: UUID, kind: str, moment: datetime | None = None, said: str = KEPT) -> None:
    """Raise RuleBroken `legal_hold` when `is_held`; `said` is for people and says what to do."""
    if is_held(patient_id, kind, moment):
        raise RuleBroken(said, "legal_hold")


def rows_with_hold(patient: Patient) -> tuple[list[UUID], datetime | None]:
    """Return the ids of every row of a person (as `rows_of`) and since when they are held; one query."""
    found = list(_rows_with_hold(patient.pk))
    return [pk for pk, _ in found], min((since for _, since in found if since), default=None)


@kept
def _rows_with_hold(patient_id: UUID) -> QuerySet[Patient, Any]:
    holds = LegalHold.objects.running().filter(patient=OuterRef("pk")).order_by("issued_at")
    since = Subquery(holds.values("issued_at")[:1], output_field=DateTimeField())
    return Patient.objects.same_person(patient_id).annotate(since=since).values_list("pk", "since")


def held_words(at: datetime) -> Q:
    """Return the condition on voice sessions that a hold keeps (`retention.register_hold`)."""
    person = Patient.objects.filter(pk=OuterRef(OuterRef("patient_id"))).values("person_id")
    start = Session.objects.filter(pk=OuterRef(OuterRef("pk"))).values("started_at")
    holds = LegalHold.objects.running().covering(HeldRecords.SESSIONS)
    # Sub-queries, not joins: a purge locks the voice session alone.
    whose = holds.filter(patient__person_id=Subquery(person, output_field=UUIDField()))
    return Q(Exists(whose.around(Subquery(start, output_field=DateTimeField()))))


def held_people(kind: str) -> QuerySet[Patient, Any]:
    """Return the ids of all rows of people of whom a hold keeps records of a kind."""
    persons = LegalHold.objects.running().covering(kind).order_by().values("patient__person_id")
    return Patient.objects.filter(person_id__in=persons).values("pk")
