"""Writes of consents: every grant and every withdrawal is one more row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.ids import uuid7
from patients.codes import ConsentMethod, ConsentType
from patients.privacy.models import Consent
from patients.privacy.queries import decisions
from patients.privacy.records import (
    GUARDIAN_CODE,
    GUARDIAN_MISSING,
    OF_AN_APP,
    ConsentData,
    Decision,
    clock_of,
    decided,
    lacks_guardian,
    newer,
)
from patients.privacy.scope import fault_of
from patients.registry.models import Patient
from patients.registry.queries import lock_person, locked
from patients.sessions.records import is_coded

FAULTS = {
    "unknown_code": "One of the limits is not on the list: {}.",
    "not_a_time": "A limit is a day or a moment with its offset: {}.",
    "before_start": "It would end before it begins: {}.",
}


@action
def record_consent(
    *, actor: Actor, patient: Patient, consents: list[ConsentData], at: datetime | None = None
) -> list[Consent]:
    """Append the decisions of one person, in the order given; one audit row names their types.

    A withdrawal counts from now whatever its sender's clock says (`records.decided`): it never waits for one.
    What is recorded of a row that was linked to somebody is the person's: their row on record decides.
    Raises NotFound for a person of another organization, InputRefused for an unknown type, a scope that isn't
    coded, a grant with limits that nobody knows (`scope.fault_of`), and a child's that nobody gave for them
    (`lacks_guardian`).
    """
    if not (actor.is_unbound or patient.organization_id in actor.org_ids):
        raise NotFound("There is no such person on record.", "patient_unknown")
    person = lock_person(patient.pk)
    patient = patient if person == patient.pk else locked([person])[person]
    at = clock(at)
    for data in consents:
        _check(data, at)
        _check_guardian(actor, patient, data)
    with opening(actor, purpose="consent") as ctx:
        if any(data.guardian for data in consents):
            ctx.load_keys([patient.pk])
        rows = Consent.objects.bulk_create(_rows(actor, patient, consents, at))
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


@action
def carry_refusals(*, actor: Actor, from_id: UUID, patient: Patient, at: datetime) -> list[Consent]:
    """Withdraw for a person what their other row, which is being linked, refused after they allowed it.

    The caller holds both rows' locks. Only the row on record decides, so a refusal that was said under a
    caller's row would be lost with the link; what that row allowed is no grant of the person on record.
    """
    found = decisions([from_id, patient.pk], ConsentType.values, at)
    refused = []
    for kind in ConsentType.values:
        theirs, standing = found.get((from_id, kind)), found.get((patient.pk, kind))
        if theirs is None or theirs.granted or standing is None or not standing.granted:
            continue
        if theirs.at > standing.at:
            refused.append(ConsentData(kind, granted=False, method=ConsentMethod.SPOKEN))
    if not refused:
        return Unchanged([])  # type: ignore[return-value]
    rows = Consent.objects.bulk_create(_rows(actor, patient, refused, at))
    codes = {"granted": [], "withdrawn": sorted(one.consent_type for one in refused), "from": str(from_id)}
    record(actor, "consent.recorded", patient, subject=patient.pk, codes=codes)
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
    # What a withdrawal says of limits is passed over: nothing may hold it up.
    if data.granted and (fault := fault_of(data.scope)) is not None:
        raise InputRefused(FAULTS[fault[0]].format(fault[1]), "consent_scope_unknown", field="scope")
    if data.granted:
        refuse_far(at, expires_at=data.expires_at)
    if data.expires_at is not None and data.expires_at < min(data.recorded_at or at, at):
        raise InputRefused(
            "A consent can't expire before it was given.", "consent_expires_too_early", field="expires_at"
        )


def _check_guardian(actor: Actor, patient: Patient, data: ConsentData) -> None:
    """Raise InputRefused for a child's grant that nobody gave for them, whoever records it."""
    if lacks_guardian(
        consent_type=data.consent_type, granted=data.granted, guardian=data.guardian,
        is_minor=patient.is_minor, by_app=actor.kind != "user",
    ):  # fmt: skip
        said = GUARDIAN_MISSING if actor.kind == "user" else f"{GUARDIAN_MISSING} {OF_AN_APP}"
        raise InputRefused(said, GUARDIAN_CODE, field="guardian")


def _rows(actor: Actor, patient: Patient, consents: list[ConsentData], at: datetime) -> list[Consent]:
    """Return the rows in their order, each placed against the decision that stands before it."""
    standing = decisions([patient.pk], {data.consent_type for data in consents}, at)
    rows = []
    # Of two that count from the same moment the later told holds: their ids say which that was.
    for identifier, data in zip(sorted(uuid7() for _ in consents), consents, strict=True):
        key = patient.pk, data.consent_type
        decision = decided(
            standing.get(key), granted=data.granted, said_at=data.recorded_at or at,
            sender=clock_of(actor), at=at, expires_at=data.expires_at,
        )  # fmt: skip
        standing[key] = newer(standing.get(key), decision)
        rows.append(_row(actor, patient, data, decision, identifier))
    return rows


def _row(actor: Actor, patient: Patient, data: ConsentData, decision: Decision, identifier: UUID) -> Consent:
    # What ends by itself counts from its end at the latest; a withdrawal has no end.
    expires_at = data.expires_at if data.granted else None
    return Consent(
        id=identifier,
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
        recorded_at=decision.at if expires_at is None else min(decision.at, expires_at),
        said_at=decision.said_at,
        expires_at=expires_at,
        guardian=data.guardian,
        evidence_ref=data.evidence_ref,
        legacy_ids=data.legacy_ids,
    )
