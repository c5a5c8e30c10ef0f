"""Raising an alert by hand: for somebody on record, or for a person who is not yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Level, RiskAlert, Source
from crisis.alerts.moves import refuse_empty
from crisis.alerts.queries import locked_alert, may_raise_for, refuse_strangers
from crisis.alerts.timeline import append_event
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.queries import by_pseudonyms


@action
def raise_for_caller(
    *,
    actor: Actor,
    pseudonym: str,
    level: str,
    kind: str,
    note: str,
    third_party: bool = False,
    at: datetime | None = None,
) -> RiskAlert:
    """Open an alert because a member of staff was told something; the note holds who and what.

    Without a pseudonym a provisional person is put on record, to be linked later.
    """
    refuse_empty(note, "note", "Write what you were told and by whom.")
    if level not in Level.values:
        raise InputRefused("Choose high or critical.", "unknown_level", field="level")
    organization_id, patient_id = _about(actor, pseudonym.strip().upper(), at)
    alert = raise_alert(
        actor=actor,
        organization_id=organization_id,
        patient_id=patient_id,
        kind=kind,
        level=level,
        reason_code="third_party_report" if third_party else "raised_by_staff",
        source=Source.STAFF,
        facts={"third_party": third_party},
        hand_note=note,
        renotify=True,
        at=at,
    )
    record(actor, "alert.raised_by_hand", alert, codes={"level": level, "kind": kind})
    return alert


def _about(actor: Actor, pseudonym: str, at: datetime | None) -> tuple[UUID, UUID]:
    """Return the organization and the person; an unknown pseudonym is refused without a hint."""
    if actor.user is None or actor.organization_id is None:
        raise RuleBroken("Only staff raise an alert by hand.", "not_staff", status=404)
    if not pseudonym:
        person = create_provisional(actor=actor, organization_id=actor.organization_id, at=at)
        return person.organization_id, person.pk
    for organization_id in sorted(may_raise_for(actor.user)):
        found = by_pseudonyms(organization_id, [pseudonym]).get(pseudonym)
        if found is not None:
            return found.organization_id, found.pk
    raise InputRefused(
        "Nobody with this number is on record. Check it, or leave it empty.",
        "unknown_person",
        field="pseudonym",
    )


@action
def link_person(*, actor: Actor, alert_id: UUID, pseudonym: str, at: datetime | None = None) -> RiskAlert:
    """Say who a provisional person is; the alert's page must be open to the actor.

    Rows never move: the provisional one points at the person on record, and queries follow it.
    """
    at = clock(at)
    alert = locked_alert(alert_id)
    refuse_strangers(actor, alert, at)
    if alert.patient_id is None:
        raise RuleBroken("This alert concerns nobody in particular.", "nobody")
    found = by_pseudonyms(alert.organization_id, [pseudonym]).get(pseudonym)
    if found is None:
        raise InputRefused("Nobody with this number is on record here.", "unknown_person", field="pseudonym")
    if alert.patient is not None and alert.patient.merged_into_id == found.pk:
        return Unchanged(alert)  # type: ignore[return-value]
    link_provisional(actor=actor, provisional_id=alert.patient_id, patient_id=found.pk)
    append_event(actor, alert, "person_linked", at)
    record(actor, "alert.person_linked", alert)
    return alert
