"""Writes of intake: one batch is one transaction, from the lock on its key to the answer that is kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from cortex.access.context import AccessContext, opening
from cortex.api.problems import encode
from cortex.audit import Actor, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.crypto.errors import SealedError
from cortex.ops.models import TelemetryEvent
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Kind, Level, RiskAlert
from crisis.alerts.models import Source as AlertSource
from crisis.decisions.actions import apply_decisions
from crisis.intake import queries, storing
from crisis.intake.answers import Outcome, Reply, batch_reply, refusal_reply
from crisis.intake.assessing import drafts_of, reviews_of, tells_something
from crisis.intake.items import Item, read_items
from crisis.intake.models import ANSWER_LIFE, IntakeKey, IntakeRequest
from crisis.intake.parcels import Parcel, Press
from crisis.intake.screening import fail_closed, hold_back, screen_rows
from crisis.intake.sorting import Facts, Sorted, sort_items
from crisis.resources.support import general_support, support_for
from crisis.reviews.actions import make_item
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.evidence import Draft
from crisis.risk.lexicon import lexicon
from patients.privacy.actions import record_consent
from patients.registry.models import Patient
from patients.registry.queries import by_pseudonyms, locked
from patients.sessions.actions import store_batch, store_sessions
from patients.sessions.models import Session

# What may go wrong with one row and must not cost the others; anything else is a defect of ours.
ROW_FAULTS = (DatabaseError, SealedError, ValueError)
SOS_LEVELS = {"in_danger": Level.CRITICAL, "talk": Level.HIGH}
log = logging.getLogger("cortex.intake")


@dataclass(slots=True)
class _Taking:
    """One batch on its way through `take_batch`."""

    actor: Actor
    parcel: Parcel
    facts: Facts
    rows: list[Sorted] = field(default_factory=list)
    messages: dict[storing.MessageKey, UUID] = field(default_factory=dict)
    sessions: dict[storing.SessionKey, Session] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """When it was received."""
        return self.facts.at


@action
def take_batch(*, actor: Actor, parcel: Parcel, at: datetime | None = None) -> Reply:
    """Take a batch: screen, store, decide, alert, answer; the answer of a key is kept with what it did.

    Raises RuleBroken `in_flight` (409) or `other_body` (422) for a key that is in use.
    """
    kept = queries.kept_reply(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if parcel.refusal is not None:
        return Unchanged(refuse_parcel(actor=actor, parcel=parcel, at=at))  # type: ignore[return-value]
    items, people = _read(parcel, at)
    taking = _Taking(actor, parcel, Facts(parcel.sender, at, people, allowed=parcel.allowed))
    with opening(actor, purpose="intake") as ctx:
        _sort(taking, ctx, items)
        _store(taking)
    alerts = _decide(taking)
    reply = batch_reply((row.outcome for row in taking.rows), at, parcel.wait, _support(taking))
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    _record_batch(taking, alerts)
    return reply


@quiet("an answer kept for its sender for a day: codes and ids of what is recorded beside it")
def keep_answer(*, actor: Actor, parcel: Parcel, reply: Reply, at: datetime) -> None:
    """Keep the bytes of a final answer under the request's key; without a key nothing is kept."""
    if not parcel.idempotency_key or not reply.is_final:
        return
    row = IntakeRequest(
        organization_id=parcel.organization_id, sender=parcel.sender, idempotency_key=parcel.idempotency_key,
        body_digest=parcel.digest, status=reply.status, content_type=reply.content_type, answer=reply.body,
        expires_at=at + ANSWER_LIFE,
    )  # fmt: skip
    changed = ["body_digest", "status", "content_type", "answer", "expires_at"]
    unique = ["sender", "idempotency_key"]
    IntakeRequest.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=unique, update_fields=changed
    )


@action
def refuse_parcel(*, actor: Actor, parcel: Parcel, at: datetime) -> Reply:
    """Answer a request that can't be read, with its place and with support; the answer is kept."""
    refusal = parcel.refusal
    if refusal is None:
        raise ValueError("only a refused parcel is refused")
    reply = refusal_reply(refusal, general_support(parcel.organization_id, at))
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    record(actor, "intake.refused", codes={"code": refusal.code, "route": parcel.route}, outcome="refused")
    return reply


def _read(parcel: Parcel, at: datetime) -> tuple[list[Item], dict[str, Patient]]:
    """Read the items and find their people; a patient token has one, and may name nobody else."""
    if parcel.patient_id is None:
        items = read_items(parcel.raw_items, at, parcel.repaired)
        names = {item.pseudonym for item in items if item.pseudonym}
        return items, queries.people_behind(by_pseudonyms(parcel.organization_id, names))
    own = queries.patient_of_token(parcel.organization_id, parcel.patient_id)
    if own is None:
        raise NotFound("This patient is no longer on record.", "unknown_patient")
    items = read_items(parcel.raw_items, at, parcel.repaired, own.anonymous_id)
    return items, queries.people_behind({own.anonymous_id: own})


def _sort(taking: _Taking, ctx: AccessContext, items: list[Item]) -> None:
    """Open keys, lock the people, and decide about each item; the keys come first, so that nobody waits."""
    facts = taking.facts
    ids = sorted({person.pk for person in facts.people.values()})
    closed = _open_keys(ctx, ids)
    if ids:
        ctx.saw("intake", subjects=ids, organization_id=taking.parcel.organization_id)
    locked(ids)
    facts.consents = queries.decisions(ids, facts.at)
    facts.known = queries.known_keys({key for item in items if (key := facts.key_of(item))}, facts.at)
    taking.rows = sort_items(items, facts)
    screen_rows(taking.rows, lexicon().screen, queries.turns(taking.rows, facts.at))
    hold_back(taking.rows)
    fail_closed(taking.rows, closed, storing.needs_seal)


def _open_keys(ctx: AccessContext, ids: list[UUID]) -> set[UUID]:
    """Load the keys of everybody, or of each alone when one is bad; return whose key can't be had."""
    try:
        ctx.load_keys(ids, create=True)
    except DatabaseError as error:
        log.error("key store unreachable", exc_info=error)
        return set(ids)
    except SealedError:
        return {one for one in ids if not _opens(ctx, one)}
    return set()


def _opens(ctx: AccessContext, patient_id: UUID) -> bool:
    try:
        ctx.load_keys([patient_id], create=True)
    except (DatabaseError, SealedError) as error:
        log.error("key not opened", exc_info=error)
        return False
    return True


def _store(taking: _Taking) -> None:
    """Write what is taken in bulk; when a row is refused, each on its own, so that one costs no other."""
    taken = [row for row in taking.rows if row.is_taken]
    taking.messages = queries.message_ids(taking.rows, taking.facts)
    try:
        taking.sessions |= _write(taking, taken)
    except ROW_FAULTS as error:
        log.warning("bulk write refused", exc_info=error)
        for row in taken:
            _write_alone(taking, row)
    keys = storing.keys_of(taking.rows, taking.messages, taking.facts, taking.parcel.organization_id)
    changed = ["result", "object_type", "object_id", "expires_at"]
    IntakeKey.objects.bulk_create(
        keys.values(), update_conflicts=True, unique_fields=["id"], update_fields=changed
    )


def _write_alone(taking: _Taking, row: Sorted) -> None:
    try:
        taking.sessions |= _write(taking, [row])
    except ROW_FAULTS as error:
        log.error("could not store", exc_info=error)
        row.fail("could_not_store")


def _write(taking: _Taking, taken: list[Sorted]) -> dict[storing.SessionKey, Session]:
    return write_rows(
        actor=taking.actor, organization_id=taking.parcel.organization_id, rows=taken,
        messages=taking.messages,
        at=taking.at,
    )  # fmt: skip


@action
def write_rows(
    *, actor: Actor, organization_id: UUID, rows: list[Sorted], messages: dict[storing.MessageKey, UUID],
    at: datetime,
) -> dict[storing.SessionKey, Session]:  # fmt: skip
    """Write the rows of sorted items, all or none: a part of `take_batch`, which records them by name."""
    sessions = store_sessions(actor=actor, sessions=storing.sessions_of(rows, at))
    ids = {key: row.pk for key, row in sessions.items()}
    store_batch(actor=actor, batch=storing.prepare(rows, storing.Shelf(at, ids, messages, lexicon().version)))
    people = {row.person.pk: row.person for row in rows if row.person is not None}
    for patient_id, consents in storing.consents_of(rows).items():
        record_consent(actor=actor, patient=people[patient_id], consents=consents, at=at)
    TelemetryEvent.objects.bulk_create(storing.telemetry_of(rows, organization_id))
    return Unchanged(sessions)  # type: ignore[return-value]


def _decide(taking: _Taking) -> int:
    """Tell the ledger, let the engine decide once per person, and raise what it and the items ask for."""
    drafts = drafts_of(taking.rows, taking.sessions, taking.at)
    undecided: set[UUID] = set()
    try:
        joined = assess_people(actor=taking.actor, drafts=drafts, at=taking.at)
    except Exception as error:
        # A person whose evaluation fails must reach a human, and must not cost the others theirs.
        log.error("engine failed for a batch", exc_info=error)
        joined, undecided = _assess_alone(taking, drafts)
    alerts = sum(len(found) for found in joined.values())
    for row in taking.rows:
        if row.gave_evidence and row.person.pk in joined:
            row.outcome.wants_support = True
        if row.item.kind == "sos" and row.is_taken:
            alerts += _ensure_sos(taking, row)
    for row, code in reviews_of(taking.rows):
        make_item(
            actor=taking.actor, organization_id=row.person.organization_id, patient=row.person,
            reason_code=code,
            source_type=row.item.kind, source_id=row.row_id, at=taking.at,
        )  # fmt: skip
    return alerts + sum(_raise_system(taking, *reason) for reason in _faults(taking.rows, undecided))


@action
def assess_people(
    *, actor: Actor, drafts: dict[UUID, list[Draft]], at: datetime
) -> dict[UUID, list[RiskAlert]]:
    """Append evidence, evaluate each person whom it tells something about, and apply what was decided."""
    append_evidence(actor=actor, drafts=drafts, at=at)
    people = [person for person, rows in drafts.items() if any(tells_something(draft) for draft in rows)]
    if not people:
        return Unchanged({})  # type: ignore[return-value]
    evaluations = evaluate_patients(actor=actor, patient_ids=people, at=at)
    return Unchanged(apply_decisions(actor=actor, evaluations=evaluations, at=at))  # type: ignore[return-value]


def _assess_alone(
    taking: _Taking, drafts: dict[UUID, list[Draft]]
) -> tuple[dict[UUID, list[RiskAlert]], set[UUID]]:
    """Assess each person alone; who still can't be decided keeps the evidence, and a human is told."""
    joined: dict[UUID, list[RiskAlert]] = {}
    undecided: set[UUID] = set()
    for person, rows in drafts.items():
        try:
            joined |= assess_people(actor=taking.actor, drafts={person: rows}, at=taking.at)
        except Exception as error:
            log.error("engine failed for a person", exc_info=error)
            undecided.add(person)
            append_evidence(actor=taking.actor, drafts={person: rows}, at=taking.at)
    return joined, undecided


def _ensure_sos(taking: _Taking, row: Sorted) -> int:
    """Open an alert for a button unless the engine's decision did; a press is never dropped as old."""
    person, button = row.person, row.item.button
    if queries.has_waiting_alert(person.pk, SOS_LEVELS[button]):
        return 0
    raise_alert(
        actor=taking.actor, organization_id=person.organization_id, patient_id=person.pk, kind=Kind.SELF_HARM,
        level=SOS_LEVELS[button], reason_code=f"sos_{button}", source=AlertSource.SOS,
        facts={"rules_fired": ["H13"]}, waiting=True, renotify=True, at=taking.at,
    )  # fmt: skip
    return 1


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


def _raise_system(taking: _Taking, person: Patient, kind: Kind) -> int:
    raise_alert(
        actor=taking.actor, organization_id=person.organization_id, patient_id=person.pk, kind=kind,
        level=Level.HIGH, reason_code=str(kind), source=AlertSource.SYSTEM, at=taking.at,
    )  # fmt: skip
    return 1


def _support(taking: _Taking) -> dict[UUID | None, dict[str, Any]]:
    wanting = [row for row in taking.rows if row.outcome.wants_support]
    if not wanting:
        return {}
    organization_id = taking.parcel.organization_id
    people = {row.person.pk: row.person.language for row in wanting if row.person is not None}
    blocks: dict[UUID | None, dict[str, Any]] = {}
    blocks.update(support_for(organization_id, people.items(), taking.at))  # type: ignore[arg-type]
    if any(row.person is None for row in wanting):
        blocks[None] = general_support(organization_id, taking.at)
    return blocks


def _record_batch(taking: _Taking, alerts: int) -> None:
    """One record that names the batch's items and people."""
    people = sorted({str(row.outcome.patient_id) for row in taking.rows if row.outcome.patient_id})
    results = Counter(f"{row.item.kind or 'unknown'}.{row.outcome.result}" for row in taking.rows)
    codes: dict[str, Any] = {
        "route": taking.parcel.route, "results": dict(results), "alerts": alerts,
        "items": [row.item.id for row in taking.rows if row.item.id],
    }  # fmt: skip
    subject = UUID(people[0]) if len(people) == 1 else None
    if subject is None:
        codes["patients"] = people
    record(taking.actor, "intake.taken", subject=subject, purpose="intake", codes=codes)


@action
def take_sos(
    *,
    actor: Actor,
    organization_id: UUID,
    press: Press,
    patient_id: UUID | None = None,
    at: datetime | None = None,
) -> Reply:
    """Take a pressed button: a known patient is enough. Raises RuleBroken 422 for an unknown one."""
    if patient_id is None:
        people = queries.people_behind(by_pseudonyms(organization_id, [press.pseudonym]))
        person = people.get(press.pseudonym)
    else:
        person = queries.patient_of_token(organization_id, patient_id)
    if person is None:
        raise RuleBroken("Name a patient of this service.", "unknown_patient", status=422, pointer="/patient")
    locked([person.pk])
    at = clock(at)
    item = Item(index=0, kind="sos", pseudonym=person.anonymous_id, at=at, values={"button": press.button})
    row = Sorted(Outcome(item, patient_id=person.pk), person)
    taking = _Taking(actor, Parcel(organization_id, "", "sos", b""), Facts("", at, {}), [row])
    _decide(taking)
    support = support_for(organization_id, [(person.pk, person.language)], at)[person.pk]
    record(actor, "sos.taken", person, subject=person.pk, purpose="intake", codes={"button": press.button})
    return Reply(200, encode({"result": "taken", "support": support}))


@quiet("answers and item ids leave by their own time; what they stood for has its own record")
def forget_expired(*, actor: Actor, limit: int = 10_000, at: datetime | None = None) -> int:
    """Delete kept answers and item ids whose time is over, at most `limit` of each; return how many."""
    at = clock(at)
    gone = 0
    for model in (IntakeRequest, IntakeKey):
        ids = list(model.objects.expired(at).values_list("pk", flat=True)[:limit])
        gone += model.objects.filter(pk__in=ids).delete()[0]
    return gone
