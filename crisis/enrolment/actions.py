"""Writes of enrolment: a person is registered once per key, and a token is minted for their own device."""

from __future__ import annotations

from dataclasses import replace
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
from patients.privacy.records import GUARDIAN_CODE, ConsentData, lacks_guardian
from patients.registry.actions import register_patient
from patients.registry.queries import registers_minor
from patients.registry.records import RegisterPatient


@action
def take_registration(
    *, actor: Actor, parcel: Parcel, data: RegisterPatient | None, at: datetime | None = None
) -> Reply:
    """Put a person on record once per Idempotency-Key; a refusal (409, 422) is kept like an answer.

    A child is put on record all the same: of consents that no guardian gave, only `treatment` counts, without
    which nothing that they write is screened; the answer names the others.
    """
    kept = kept_reply(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if data is None:
        return Unchanged(refuse_parcel(actor=actor, parcel=parcel, at=at))  # type: ignore[return-value]
    data, refused = _parted(data, parcel.organization_id, at)
    try:
        patient = register_patient(actor=actor, organization_id=parcel.organization_id, data=data, at=at)
    except RuleBroken as broken:
        reply = broken_reply(broken, general_support(parcel.organization_id, at))
        record(actor, "patient.registration_refused", codes={"code": broken.code}, outcome="refused")
    else:
        granted = {one.consent_type for one in data.consents if one.granted}
        # A type that came with and without a guardian is on record.
        left = sorted({one.consent_type for one in refused} - granted)
        members: dict[str, object] = {"patient": patient.anonymous_id, "registered_at": at.isoformat(),
                                      "consents": sorted(granted)}  # fmt: skip
        codes = {"consents_refused": left} if left else {}
        if left:
            members["consents_refused"] = [{"consent_type": one, "reason": GUARDIAN_CODE} for one in left]
        reply = Reply(201, encode(members))
        record(actor, "patient.taken", patient, subject=patient.pk, purpose="intake", codes=codes)
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    return reply


def _parted(
    data: RegisterPatient, organization_id: UUID, at: datetime
) -> tuple[RegisterPatient, list[ConsentData]]:
    """Return a registration without the grants that no guardian of a child gave, and these.

    They are parted before anybody is put on record: a try that is refused leaves a key of nobody's.
    """
    refused = [one for one in data.consents if _lacks_guardian(one)]
    if not refused or not registers_minor(data, organization_id, at):
        return data, []
    return replace(data, consents=[one for one in data.consents if not _lacks_guardian(one)]), refused


def _lacks_guardian(one: ConsentData) -> bool:
    return lacks_guardian(
        consent_type=one.consent_type, granted=one.granted, guardian=one.guardian, is_minor=True, by_app=True
    )


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
