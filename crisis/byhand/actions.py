"""Raising an alert by hand, for somebody on record or a person who is not yet, and linking the two later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from cortex.access.context import holds, opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts.access import QUESTIONS
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RANK, Kind, Level, RiskAlert, Source
from crisis.alerts.moves import refuse_empty
from crisis.alerts.queries import locked_alert, may_raise_for, refuse_strangers
from crisis.alerts.timeline import append_event
from crisis.byhand import queries
from crisis.decisions.actions import apply_decisions
from crisis.decisions.facts import facts_of
from crisis.duty import queries as duty
from crisis.merging.actions import merge_alerts
from crisis.reviews.actions import make_item
from crisis.risk.actions import (
    append_evidence,
    carry_level,
    evaluate_patients,
    return_level,
    schedule_evaluation,
)
from crisis.risk.evaluation import Evaluation
from crisis.risk.evidence import Origin, from_third_party
from crisis.risk.types import KindSignal
from crisis.risk.types import Source as Told
from patients.registry.access import BREAK_GLASS, relationship_of
from patients.registry.actions import create_provisional, link_provisional, unlink_provisional
from patients.registry.models import Patient
from patients.registry.queries import by_pseudonyms, lock_person, locked, person_ids

CONFIRM_LINK = timedelta(hours=24)
# What lets somebody read about a person, and says nothing of whether they know them.
GLIMPSES = QUESTIONS | {BREAK_GLASS}
NOBODY = "Nobody with this number is on record here. Check it, or ask somebody on shift to link them."


@action
def raise_for_caller(
    *,
    actor: Actor,
    pseudonym: str,
    level: str,
    kind: str,
    note: str,
    third_party: bool = False,
    given_name: str = "",
    phone: str = "",
    caller: str = "",
    caller_phone: str = "",
    token: UUID | None = None,
    at: datetime | None = None,
) -> RiskAlert:
    """Open an alert because a member of staff was told something; the note holds who and what.

    Without a pseudonym a provisional person is put on record with `given_name` and `phone`, to be linked
    later. Who called, and their number, are no data of that person: they are sealed with the note. `token`
    names one filled-in form: a second press finds the alert of the first, and what was changed meanwhile is
    another one. What a third party reports is evidence about the person too (H8), and is judged in this
    transaction.
    """
    refuse_empty(note, "note", "Write what you were told and by whom.")
    if level not in Level.values:
        raise InputRefused("Choose high or critical.", "unknown_level", field="level")
    if token is not None:
        typed = (actor.id, pseudonym, level, kind, note, third_party, given_name, phone, caller, caller_phone)
        token = uuid5(token, "\x1f".join(map(str, typed)))
    first = queries.raised_with(token) if token is not None else None
    if first is not None:
        return Unchanged(first)  # type: ignore[return-value]
    organization_id, patient_id = _about(actor, pseudonym.strip().upper(), given_name, phone, at)
    person_id = lock_person(patient_id)
    at = clock(at)
    evaluations = _judge(actor, person_id, level, at) if third_party and kind != Kind.HARM_TO_OTHERS else {}
    signal = _signal(evaluations, person_id, kind)
    facts = facts_of(evaluations[person_id], signal) if signal else {}
    alert = raise_alert(
        actor=actor,
        organization_id=organization_id,
        patient_id=person_id,
        kind=kind,
        level=max([level, *([str(signal.level)] if signal else [])], key=_rank),
        reason_code="third_party_report" if third_party else "raised_by_staff",
        source=Source.STAFF,
        facts=facts | {"third_party": third_party, "hand_token": token},
        hand_note=_with_caller(_with_contact(note, pseudonym, given_name, phone), caller, caller_phone),
        renotify=True,
        at=at,
    )
    record(actor, "alert.raised_by_hand", alert, codes={"level": level, "kind": kind})
    if evaluations:
        apply_decisions(actor=actor, evaluations=evaluations, besides=kind, at=at)
    return alert


def _rank(level: str) -> int:
    """The level that staff chose is never lowered, and one that the engine sees higher is not hidden."""
    return RANK[Level(level)] if level in Level.values else -1


def _with_contact(note: str, pseudonym: str, given_name: str, phone: str) -> str:
    """Somebody on record keeps their own name and number: what was typed beside it stays with the note."""
    typed = ", ".join(part for part in (given_name.strip(), phone.strip()) if part)
    return f"{note}\n{typed}" if pseudonym.strip() and typed else note


def _with_caller(note: str, caller: str, phone: str) -> str:
    """Whoever works the alert reads under the note who called and where to call them back."""
    told_by = ", ".join(part for part in (caller.strip(), phone.strip()) if part)
    return f"{note}\nTold by: {told_by}" if told_by else note


def _about(
    actor: Actor, pseudonym: str, given_name: str, phone: str, at: datetime | None
) -> tuple[UUID, UUID]:
    """Return the organization and the person; an unknown pseudonym is refused without a hint."""
    if actor.user is None or actor.organization_id is None:
        raise RuleBroken("Only staff raise an alert by hand.", "not_staff", status=404)
    if not pseudonym:
        person = create_provisional(
            actor=actor,
            organization_id=actor.organization_id,
            given_name=given_name.strip() or None,
            phone=phone.strip() or None,
            at=at,
        )
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


def _judge(actor: Actor, person_id: UUID, level: str, at: datetime) -> dict[UUID, Evaluation]:
    """Put a third party's report into the ledger and look at the person again."""
    report = from_third_party(Origin(Told.THIRD_PARTY, at), imminent=level == Level.CRITICAL)
    append_evidence(actor=actor, drafts={person_id: [report]}, at=at)
    return evaluate_patients(actor=actor, patient_ids=[person_id], at=at)


def _signal(evaluations: Mapping[UUID, Evaluation], person_id: UUID, kind: str) -> KindSignal | None:
    found = evaluations[person_id].result.signals if person_id in evaluations else ()
    return next((signal for signal in found if signal.kind == kind), None)


@action
def link_person(
    *, actor: Actor, alert_id: UUID, pseudonym: str, reason: str, at: datetime | None = None
) -> RiskAlert:
    """Say who a provisional person is; the alert's page must be open to the actor.

    Rows never move: the provisional one points at the person on record, and queries follow it. Where both had
    an open alert of a kind, one is left. Returns the alert that stands for this one now. Somebody without a
    relationship to the person on record links only while at work for their organization, and a supervisor is
    asked to confirm it (decision 17).
    """
    refuse_empty(reason, "reason", "Say how you know who it is.")
    told = queries.alert_about(alert_id)
    refuse_strangers(actor, told, clock(at))
    if told.patient is None:
        raise RuleBroken("This alert concerns nobody in particular.", "nobody")
    found = by_pseudonyms(told.organization_id, [pseudonym]).get(pseudonym)
    if found is None:
        raise InputRefused(NOBODY, "unknown_person", field="pseudonym")
    linked_id, person_id = _locked_together(told.patient, found)
    alert = locked_alert(alert_id)
    at = clock(at)
    refuse_strangers(actor, alert, at)
    if linked_id == person_id:
        return Unchanged(alert)  # type: ignore[return-value]
    by = _right_to(actor, found, at)
    link_provisional(actor=actor, provisional_id=told.patient.pk, patient_id=person_id, at=at)
    _say_on_all(actor, alert, "person_linked", reason, at)
    record(actor, "caller.linked", alert, subject=person_id, codes={"by": by, "from": str(told.patient.pk)})
    if by != "relationship":
        _ask_to_confirm(actor, alert, found, at)
    carry_level(actor=actor, from_id=told.patient.pk, patient_id=person_id, at=at)
    schedule_evaluation(actor=actor, patient_id=person_id, due_at=at, reason_code="person_linked")
    kept = merge_alerts(actor=actor, person_id=person_id, linked_id=told.patient.pk, at=at)
    return next((one for one in kept if one.kind == alert.kind), alert)


def _locked_together(provisional: Patient, found: Patient) -> tuple[UUID, UUID]:
    """Lock both people in one statement, by id, and return who they are; a conflict if either moved."""
    people = person_ids([provisional.pk, found.pk])
    rows = locked(people.values())
    if any(row.merged_into_id is not None for row in rows.values()):
        raise RuleBroken("Somebody linked one of them just now. Look again.", "linked_meanwhile")
    return people[provisional.pk], people[found.pk]


def _right_to(actor: Actor, found: Patient, at: datetime) -> str:
    """Return by which right this actor names a person on record; refused without a hint that they exist.

    Any but `relationship` is confirmed by a supervisor: a shift, a question to a second reader, break-glass.
    """
    name = relationship_of(actor.user, found.pk, at) if actor.user is not None else None
    if name is not None and name not in GLIMPSES:
        return "relationship"
    if actor.id is not None and duty.is_at_work(actor.id, found.organization_id):
        return "shift"
    if name is not None:
        return name
    raise InputRefused(NOBODY, "unknown_person", field="pseudonym")


def _say_on_all(actor: Actor, alert: RiskAlert, kind: str, reason: str, at: datetime) -> None:
    """Say on the alert why, and on the row's other open ones that: their cards show another person now."""
    append_event(actor, alert, kind, at, note=reason)
    for other in queries.open_on_row(alert.patient_id):  # type: ignore[arg-type]
        if other.pk != alert.pk:
            append_event(actor, other, kind, at)


def _ask_to_confirm(actor: Actor, alert: RiskAlert, found: Patient, at: datetime) -> None:
    others = [one for one in duty.people_for("supervisor", alert.organization_id) if one.pk != actor.id]
    make_item(
        actor=actor,
        organization_id=alert.organization_id,
        patient=found.merged_into or found,
        reason_code="caller_linked",
        source_type="alert",
        source_id=alert.pk,
        due_at=at + CONFIRM_LINK,
        owner_id=others[0].pk if others else None,
        at=at,
    )


@action
def unlink_person(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Take back who a provisional person was said to be; the alert's page must be open to the actor.

    What ended in an alert of the other person is raised again for its own: nobody may be left without one.
    """
    refuse_empty(reason, "reason", "Say why it was not them.")
    told = queries.alert_about(alert_id)
    refuse_strangers(actor, told, clock(at))
    row = told.patient
    if row is None or row.merged_into_id is None:
        raise RuleBroken("They are linked to nobody.", "not_linked")
    person = locked([row.pk, row.person_id])[row.person_id]
    alert = locked_alert(alert_id)
    at = clock(at)
    refuse_strangers(actor, alert, at)
    # Their words first: the link may be all that opens the other person to this actor.
    ended = [(one, _what_was_told(actor, one)) for one in queries.merged_across(row.pk)]
    since = queries.linked_at(row.pk)
    unlink_provisional(actor=actor, provisional_id=row.pk, at=at)
    _return_level(actor, alert, person, since, at)
    _say_on_all(actor, alert, "person_unlinked", reason, at)
    record(actor, "caller.unlinked", alert, subject=person.pk, codes={"from": str(row.pk)})
    for one in (row.pk, person.pk):
        schedule_evaluation(actor=actor, patient_id=one, due_at=at, reason_code="person_unlinked")
    for other, words in ended:
        _raise_again(actor, other, words, at)
    return alert


def _return_level(
    actor: Actor, alert: RiskAlert, person: Patient, since: datetime | None, at: datetime
) -> None:
    """Look at the person anew without the stranger's row; a level that is only held asks for a look."""
    found = return_level(actor=actor, patient_id=person.pk, since=since, at=at)
    if found is not None and found.is_held and found.level in (Level.HIGH, Level.CRITICAL):
        make_item(
            actor=actor, organization_id=found.organization_id, patient=person,
            reason_code="level_stands_after_end", source_type="alert", source_id=alert.pk, at=at,
        )  # fmt: skip


def _what_was_told(actor: Actor, ended: RiskAlert) -> str | None:
    if not holds(ended, "hand_note"):
        return None
    with opening(actor, purpose="alert_raise") as context:
        context.open([ended], ["hand_note"])
        return ended.hand_note


def _raise_again(actor: Actor, ended: RiskAlert, words: str | None, at: datetime) -> None:
    """Open an alert like one that was merged into somebody else's, and say so where its story stands."""
    fresh = raise_alert(
        actor=actor,
        organization_id=ended.organization_id,
        patient_id=ended.patient_id,
        kind=ended.kind,
        level=ended.level,
        reason_code=ended.reason_code,
        source=ended.source,
        facts={
            "rules_fired": ended.rules_fired,
            "factors": ended.factors,
            "third_party": ended.third_party,
            "evidence": ended.evidence,
        },
        waiting=ended.waiting_person,
        hand_note=words,
        at=at,
    )
    append_event(actor, ended, "raised_again", at, codes={"as": str(fresh.pk)})
    record(actor, "alert.raised_again", fresh, codes={"from": str(ended.pk)})
