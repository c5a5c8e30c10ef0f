"""Writes of the person's app: answers are taken once per key, scored, and reach a person at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clinical.assessments.actions import finish_assessment
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, Mode
from clinical.assessments.own.sent import Sent
from cortex.api.problems import encode
from cortex.audit import Actor, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts.models import RiskAlert
from crisis.intake.actions import keep_answer, refuse_parcel
from crisis.intake.answers import Reply, broken_reply
from crisis.intake.parcels import Parcel
from crisis.intake.queries import kept_reply, person_of
from crisis.resources.support import support_for
from patients.privacy.queries import has_consent
from patients.registry.models import Patient
from patients.sessions.records import OLDEST


@action
def take_answers(
    *, actor: Actor, parcel: Parcel, pseudonym: str, sent: Sent | None, at: datetime | None = None
) -> Reply:
    """Take one administration once per Idempotency-Key; a refusal (404, 409, 422) is kept like an answer.

    Answers are never turned away because of an alert: what a person says is always taken. Whenever item 9
    is 1 or more, or a screener says more than nothing, the answer carries `support`.
    """
    kept = kept_reply(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if sent is None:
        return Unchanged(refuse_parcel(actor=actor, parcel=parcel, at=at))  # type: ignore[return-value]
    person = person_of(parcel.organization_id, pseudonym, parcel.patient_id)
    try:
        reply = _taken(actor, person, sent, at)
    except RuleBroken as broken:
        support = support_for(person.organization_id, [(person.pk, person.language)], at)[person.pk]
        reply = broken_reply(broken, support)
        codes = {"code": broken.code, "measure": sent.measure}
        record(actor, "measure.refused", None, subject=person.pk, codes=codes, outcome="refused")
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    return reply


def _taken(actor: Actor, person: Patient, sent: Sent, at: datetime) -> Reply:
    if not has_consent(person.pk, "treatment", at):
        raise RuleBroken("The person has not consented to treatment.", "no_consent")
    row = offers.instrument(sent.measure, person.organization_id)
    text = offers.text_of(row, sent.language or person.language)
    when = None if sent.answered_at is None else min(max(sent.answered_at, at - OLDEST), at)
    one, alerts = finish_assessment(
        actor=actor, patient_id=person.pk, key=row.key, answers=sent.answers, mode=Mode.SELF,
        administered_at=when, language=text.language, at=at,
    )  # fmt: skip
    record(actor, "measure.sent", one, subject=person.pk, codes={"measure": row.key}, purpose="intake")
    members: dict[str, Any] = {
        "result": "stored", "record": str(one.pk), "measure": row.key, "version": row.version,
        "received_at": at.isoformat(),
    }  # fmt: skip
    if _needs_support(one, alerts):
        language = sent.language or person.language
        members["support"] = support_for(person.organization_id, [(person.pk, language)], at)[person.pk]
    return Reply(201, encode(members))


def _needs_support(one: Assessment, alerts: list[RiskAlert]) -> bool:
    screener = one.instrument.course_key == "cssrs" and one.band != "none"
    return bool(alerts) or "item9_endorsed" in one.flags or screener
