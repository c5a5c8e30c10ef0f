"""Writes of enrolment: a person is registered once per key, and a token is minted for their own device."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.api import tokens
from cortex.api.problems import encode
from cortex.audit import Actor, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.intake.actions import keep_answer, refuse_parcel
from crisis.intake.answers import Reply, broken_reply
from crisis.intake.parcels import Parcel
from crisis.intake.queries import kept_reply, person_of
from crisis.resources.support import general_support
from patients.registry.actions import register_patient
from patients.registry.records import RegisterPatient


@action
def take_registration(
    *, actor: Actor, parcel: Parcel, data: RegisterPatient | None, at: datetime | None = None
) -> Reply:
    """Put a person on record once per Idempotency-Key; a refusal (409, 422) is kept like an answer."""
    kept = kept_reply(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if data is None:
        return Unchanged(refuse_parcel(actor=actor, parcel=parcel, at=at))  # type: ignore[return-value]
    try:
        patient = register_patient(actor=actor, organization_id=parcel.organization_id, data=data, at=at)
    except RuleBroken as broken:
        reply = broken_reply(broken, general_support(parcel.organization_id, at))
        record(actor, "patient.registration_refused", codes={"code": broken.code}, outcome="refused")
    else:
        granted = sorted({consent.consent_type for consent in data.consents if consent.granted})
        members = {"patient": patient.anonymous_id, "registered_at": at.isoformat(), "consents": granted}
        reply = Reply(201, encode(members))
        record(actor, "patient.taken", patient, subject=patient.pk, purpose="intake")
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    return reply


@action
def mint_token(
    *, actor: Actor, organization_id: UUID, key_id: UUID, pseudonym: str, life: timedelta,
    at: datetime | None = None,
) -> Reply:  # fmt: skip
    """Mint a token for one patient's own device; of a merged row, for the person's own.

    Raises NotFound for an unknown patient.
    """
    person = person_of(organization_id, pseudonym)
    at = clock(at)
    token = tokens.mint(person.pk, organization_id, key_id, at, life)
    record(actor, "patient_token.minted", person, subject=person.pk, codes={"key": str(key_id)})
    members = {"token": token, "expires_at": (at + life).isoformat(timespec="seconds")}
    return Reply(201, encode(members), headers={"Cache-Control": "no-store"})
