"""Writes of triage: a batch's evidence, one evaluation per person, and the alerts that words ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, part
from cortex.ops.postgres.base import is_lost
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Kind, Level, RiskAlert
from crisis.alerts.models import Source as AlertSource
from crisis.decisions.actions import apply_decisions
from crisis.intake.queries import has_waiting_alert
from crisis.intake.sorting import Sorted
from crisis.reviews.actions import make_item
from crisis.risk.actions import append_evidence, evaluate_patients, schedule_evaluation
from crisis.risk.evidence import Draft
from crisis.risk.queries import told
from crisis.triage.assessing import Sessions, certain, drafts_of, reviews_of, tells_something
from patients.registry.models import Patient

SOS_LEVELS = {"in_danger": Level.CRITICAL, "talk": Level.HIGH}
log = logging.getLogger("cortex.intake")

Drafts = dict[UUID, list[Draft]]
Joined = dict[UUID, list[RiskAlert]]


@part
@action
def assess_rows(*, actor: Actor, rows: list[Sorted], sessions: Sessions, at: datetime) -> int:
    """Tell the ledger what a batch brought, decide once per person, and raise what is asked for.

    The caller holds the people's locks. Whatever fails for one person reaches a human, and costs no other.
    Returns how many alerts were raised or joined; rows are marked with the support that they ask for.
    """
    known = told(row.told_id for row in rows if row.is_uncertain)
    drafts = drafts_of(rows, sessions, at, known)
    people = {row.person.pk: row.person for row in rows if row.person is not None}
    undecided: set[UUID] = set()
    try:
        joined = assess_people(actor=actor, drafts=drafts, at=at) if drafts else {}
    except Exception as error:
        if is_lost():
            # The transaction went with the connection: whoever sent it hears that, and sends it again.
            raise
        log.error("engine failed for a batch", exc_info=error)
        joined, undecided = _assess_alone(actor, people, drafts, at)
    alerts = sum(len(found) for found in joined.values())
    for row in rows:
        if row.gave_evidence and row.person.pk in joined:
            row.outcome.wants_support = True
        if row.item.kind == "sos" and row.is_taken:
            alerts += _ensure_sos(actor, row, at)
    undecided |= _make_reviews(actor, rows, at)
    for person, kind in _faults(rows, undecided):
        _raise_system(actor, person, kind, at)
        alerts += 1
    # Evidence, evaluations, alerts and items are each recorded by their own action.
    return Unchanged(alerts)  # type: ignore[return-value]


@action
def assess_people(*, actor: Actor, drafts: Drafts, at: datetime) -> Joined:
    """Append evidence, evaluate each person whom it tells something about, and apply what was decided."""
    append_evidence(actor=actor, drafts=drafts, at=at)
    people = [person for person, rows in drafts.items() if any(tells_something(draft) for draft in rows)]
    if not people:
        return Unchanged({})  # type: ignore[return-value]
    evaluations = evaluate_patients(actor=actor, patient_ids=people, at=at)
    return Unchanged(apply_decisions(actor=actor, evaluations=evaluations, at=at))  # type: ignore[return-value]


def _assess_alone(
    actor: Actor, people: dict[UUID, Patient], drafts: Drafts, at: datetime
) -> tuple[Joined, set[UUID]]:
    """Assess each person alone; about whom still nothing can be decided, a human is told."""
    joined: Joined = {}
    undecided: set[UUID] = set()
    for person, rows in drafts.items():
        try:
            joined |= assess_people(actor=actor, drafts={person: rows}, at=at)
        except Exception as error:
            if is_lost():
                raise
            log.error("engine failed for a person", exc_info=error)
            undecided.add(person)
            joined[person] = _without_engine(actor, people[person], rows, at)
    return joined, undecided


def _without_engine(actor: Actor, person: Patient, drafts: list[Draft], at: datetime) -> list[RiskAlert]:
    """Raise what no engine is needed for, keep the evidence, and have the engine look again at once."""
    alerts = [
        raise_alert(
            actor=actor, organization_id=person.organization_id, patient_id=person.pk, kind=kind,
            level=Level.CRITICAL, reason_code=rule, facts={"rules_fired": [rule]}, renotify=True, at=at,
        )
        for kind, rule in certain(drafts)
    ]  # fmt: skip
    _try(append_evidence, actor=actor, drafts={person.pk: drafts}, at=at)
    _try(schedule_evaluation, actor=actor, patient_id=person.pk, due_at=at, reason_code="engine_failed")
    return alerts


def _try(act: Callable[..., object], **facts: Any) -> bool:
    """Do what must not cost an alert that stands already; return whether it worked."""
    try:
        act(**facts)
    except Exception as error:
        if is_lost():
            raise
        log.error("left undone", exc_info=error)
        return False
    return True


def _ensure_sos(actor: Actor, row: Sorted, at: datetime) -> int:
    """Open an alert for a button unless the engine's decision did; a press is never dropped as old."""
    person, button = row.person, row.item.button
    if has_waiting_alert(person.pk, SOS_LEVELS[button]):
        return 0
    raise_alert(
        actor=actor, organization_id=person.organization_id, patient_id=person.pk, kind=Kind.SELF_HARM,
        level=SOS_LEVELS[button], reason_code=f"sos_{button}", source=AlertSource.SOS,
        facts={"rules_fired": ["H13"]}, waiting=True, renotify=True, at=at,
    )  # fmt: skip
    return 1


def _make_reviews(actor: Actor, rows: Iterable[Sorted], at: datetime) -> set[UUID]:
    """Open the tasks that items ask for by themselves; return of whom one could not be opened."""
    return {
        row.person.pk
        for row, code in reviews_of(rows)
        if not _try(
            make_item, actor=actor, organization_id=row.person.organization_id, patient=row.person,
            reason_code=code, source_type=row.item.kind, source_id=row.row_id, at=at,
        )
    }  # fmt: skip


def _faults(rows: Iterable[Sorted], undecided: set[UUID]) -> list[tuple[Patient, Kind]]:
    """Return each person of whom something could not be screened, decided or stored, once per kind."""
    found: dict[tuple[UUID, Kind], Patient] = {}
    for row in rows:
        if row.person is None:
            continue
        if row.is_unscreened or row.person.pk in undecided:
            found[row.person.pk, Kind.COULD_NOT_SCREEN] = row.person
        if row.outcome.reason == "could_not_store":
            found[row.person.pk, Kind.COULD_NOT_STORE] = row.person
    return [(person, kind) for (_, kind), person in found.items()]


def _raise_system(actor: Actor, person: Patient, kind: Kind, at: datetime) -> RiskAlert:
    return raise_alert(
        actor=actor, organization_id=person.organization_id, patient_id=person.pk, kind=kind,
        level=Level.HIGH, reason_code=str(kind), source=AlertSource.SYSTEM, at=at,
    )  # fmt: skip
