"""Writes of consents: every grant and every withdrawal is one more row."""

from __future__ import annotations

from datetime import datetime

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, action, record
from cortex.clock import clock
from patients.codes import ConsentMethod, ConsentType
from patients.privacy.models import Consent
from patients.privacy.records import ConsentData
from patients.registry.models import Patient
from patients.sessions.records import is_coded


@action
def record_consent(
    *, actor: Actor, patient: Patient, consents: list[ConsentData], at: datetime | None = None
) -> list[Consent]:
    """Append the decisions of one person, in the order given; one audit row names their types.

    A decision dated ahead of our clock counts from now, so that a withdrawal never waits for a wrong clock.
    Raises NotFound for a person of another organization, InputRefused for an unknown type or a scope that
    isn't coded.
    """
    if not (actor.is_unbound or patient.organization_id in actor.org_ids):
        raise NotFound("There is no such person on record.", "patient_unknown")
    at = clock(at)
    for data in consents:
        _check(data, at)
    with opening(actor, purpose="consent") as ctx:
        if any(data.guardian for data in consents):
            ctx.load_keys([patient.pk])
        rows = Consent.objects.bulk_create([_row(actor, patient, data, at) for data in consents])
    granted = sorted(data.consent_type for data in consents if data.granted)
    withdrawn = sorted(data.consent_type for data in consents if not data.granted)
    record(
        actor,
        "consent.recorded",
        rows[0] if len(rows) == 1 else patient,
        subject=patient.pk,
        codes={"granted": granted, "withdrawn": withdrawn},
    )
    return rows


def _check(data: ConsentData, at: datetime) -> None:
    """Raise InputRefused when a decision does not hold together."""
    if data.consent_type not in ConsentType.values:
        raise InputRefused("There is no consent of this type.", "consent_type_unknown", field="consent_type")
    if data.method not in ConsentMethod.values:
        raise InputRefused(
            "There is no such way to record a consent.", "consent_method_unknown", field="method"
        )
    if not is_coded(data.scope):
        raise InputRefused("A scope holds codes and dates only.", "consent_scope_not_coded", field="scope")
    if data.expires_at is not None and data.expires_at < min(data.recorded_at or at, at):
        raise InputRefused(
            "A consent can't expire before it was given.", "consent_expires_too_early", field="expires_at"
        )


def _row(actor: Actor, patient: Patient, data: ConsentData, at: datetime) -> Consent:
    return Consent(
        organization_id=patient.organization_id,
        patient_id=patient.pk,
        consent_type=data.consent_type,
        granted=data.granted,
        scope=data.scope,
        version=data.version,
        language=data.language,
        method=data.method,
        recorded_by_id=actor.id if actor.kind == "user" else None,
        recorded_by_client=actor.id if actor.kind == "api" else None,
        recorded_at=min(data.recorded_at or at, at),
        expires_at=data.expires_at,
        guardian=data.guardian,
        evidence_ref=data.evidence_ref,
        legacy_ids=data.legacy_ids,
    )
