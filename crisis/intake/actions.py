"""Writes of intake: one batch is one transaction, from the lock on its key to the answer that is kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction

from cortex.access.context import AccessContext, opening
from cortex.api import tokens
from cortex.api.problems import encode
from cortex.audit import Actor, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.crypto.errors import SealedError
from cortex.ops.models import TelemetryEvent
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Kind, Level, RiskAlert
from crisis.alerts.models import Source as AlertSource
from crisis.intake import queries, storing
from crisis.intake.answers import Reply, batch_reply, broken_reply, refusal_reply
from crisis.intake.items import Item, read_items
from crisis.intake.models import ANSWER_LIFE, IntakeKey, IntakeRequest
from crisis.intake.parcels import Parcel, Press
from crisis.intake.screening import fail_closed, hold_back, screen_rows
from crisis.intake.sorting import Facts, Sorted, sort_items
from crisis.resources.support import general_support, support_for
from crisis.risk.lexicon import lexicon
from patients.privacy.actions import record_consent
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.queries import by_pseudonyms, locked
from patients.registry.records import RegisterPatient
from patients.sessions.actions import store_batch, store_sessions

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

    @property
    def at(self) -> datetime:
        """When it was received."""
        return self.facts.at


@action
def take_batch(*, actor: Actor, parcel: Parcel, at: datetime | None = None) -> Reply:
    """Take a batch: screen, store, decide, alert, answer; the answer of a key is kept with what it did.

    Raises RuleBroken `in_flight` (409) or `other_body` (422) for a key that is in use.
    """
    kept = _kept(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if parcel.refusal is not None:
        return _refuse(actor, parcel, at)
    items, people = _read(parcel, at)
    taking = _Taking(actor, parcel, Facts(parcel.sender, at, people, allowed=parcel.allowed))
    with opening(actor, purpose="intake", relationship=actor.kind) as ctx:
        _sort(taking, ctx, items)
        _store(taking)
    alerts = _decide(taking)
    reply = batch_reply((row.outcome for row in taking.rows), at, parcel.wait, _support(taking))
    _keep(parcel, reply, at)
    _record_batch(taking, alerts)
    return reply


def _kept(parcel: Parcel) -> Reply | None:
    """Lock the request's key and return the answer that it got before, if it did."""
    if not parcel.idempotency_key:
        return None
    if not queries.try_lock(parcel.sender, parcel.idempotency_key):
        raise RuleBroken("This Idempotency-Key is being worked on; ask again in a second.", "in_flight")
    row = queries.kept_request(parcel.sender, parcel.idempotency_key, clock())
    if row is None:
        return None
    if bytes(row.body_digest) != parcel.digest:
        raise RuleBroken("This Idempotency-Key was used with another body.", "other_body", status=422)
    return Reply(row.status, bytes(row.answer), row.content_type)


def _keep(parcel: Parcel, reply: Reply, at: datetime) -> None:
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


def _refuse(actor: Actor, parcel: Parcel, at: datetime) -> Reply:
    refusal = parcel.refusal
    if refusal is None:
        raise ValueError("only a refused parcel is refused")
    reply = refusal_reply(refusal, general_support(parcel.organization_id, at))
    _keep(parcel, reply, at)
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
    ctx.saw("intake", subjects=ids, organization_id=taking.parcel.organization_id)
    locked(ids)
    facts.consents = queries.decisions(ids, facts.at)
    facts.known = queries.known_keys({key for item in items if (key := facts.key_of(item))}, facts.at)
    taking.rows = sort_items(items, facts)
    screen_rows(taking.rows, lexicon().screen)
    hold_back(taking.rows)
    fail_closed(taking.rows, closed, storing.needs_seal)


def _open_keys(ctx: AccessContext, ids: list[UUID]) -> set[UUID]:
    """Load the keys of everybody, or of each alone when one is bad; return whose key can't be had."""
    try:
        ctx.load_keys(ids, create=True)
    except DatabaseError as error:
        log.error("key store unreachable", extra={"error": type(error).__name__})
        return set(ids)
    except SealedError:
        return {one for one in ids if not _opens(ctx, one)}
    return set()


def _opens(ctx: AccessContext, patient_id: UUID) -> bool:
    try:
        ctx.load_keys([patient_id], create=True)
    except (DatabaseError, SealedError) as error:
        log.error("key not opened", extra={"error": type(error).__name__})
        return False
    return True


def _store(taking: _Taking) -> None:
    """Write what is taken in bulk; when a row is refused, each on its own, so that one costs no other."""
    taken = [row for row in taking.rows if row.is_taken]
    taking.messages = queries.message_ids(taking.rows, taking.facts)
    try:
        with transaction.atomic():
            _write(taking, taken)
    except ROW_FAULTS as error:
        log.warning("bulk write refused", extra={"error": type(error).__name__, "items": len(taken)})
        for row in taken:
            _write_alone(taking, row)
    keys = storing.keys_of(taking.rows, taking.messages, taking.facts, taking.parcel.organization_id)
    changed = ["result", "object_type", "object_id", "expires_at"]
    IntakeKey.objects.bulk_create(
        keys.values(), update_conflicts=True, unique_fields=["id"], update_fields=changed
    )


def _write_alone(taking: _Taking, row: Sorted) -> None:
    try:
        with transaction.atomic():
            _write(taking, [row])
    except ROW_FAULTS as error:
        log.error("could not store", extra={"error": type(error).__name__, "kind": row.item.kind})
        row.fail("could_not_store")


def _write(taking: _Taking, taken: list[Sorted]) -> None:
    actor, at = taking.actor, taking.at
    sessions = store_sessions(actor=actor, sessions=storing.sessions_of(taken, at))
    ids = {key: row.pk for key, row in sessions.items()}
    batch = storing.prepare(taken, storing.Shelf(at, ids, taking.messages, lexicon().version))
    store_batch(actor=actor, batch=batch)
    people = {row.person.pk: row.person for row in taken if row.person is not None}
    for patient_id, consents in storing.consents_of(taken).items():
        record_consent(actor=actor, patient=people[patient_id], consents=consents, at=at)
    TelemetryEvent.objects.bulk_create(storing.telemetry_of(taken, taking.parcel.organization_id))


def _decide(taking: _Taking) -> list[RiskAlert]:
    """Write the evidence, run the engine once per person, and raise what it and the items ask for."""
    alerts = [_raise_sos(taking.actor, row.person, row.item.button, taking.at)
              for row in taking.rows if row.item.kind == "sos" and row.is_taken]  # fmt: skip
    alerts += [_raise_system(taking, *reason) for reason in _faults(taking.rows)]
    return alerts


def _faults(rows: Iterable[Sorted]) -> list[tuple[Patient, Kind]]:
    """Return each person of whom something could not be screened or stored, once per kind."""
    found: dict[tuple[UUID, Kind], Patient] = {}
    for row in rows:
        if row.person is not None and row.is_unscreened:
            found[row.person.pk, Kind.COULD_NOT_SCREEN] = row.person
        if row.person is not None and row.outcome.reason == "could_not_store":
            found[row.person.pk, Kind.COULD_NOT_STORE] = row.person
    return [(person, kind) for (_, kind), person in found.items()]


def _raise_system(taking: _Taking, person: Patient, kind: Kind) -> RiskAlert:
    return raise_alert(
        actor=taking.actor, organization_id=person.organization_id, patient_id=person.pk, kind=kind,
        level=Level.HIGH, reason_code=str(kind), source=AlertSource.SYSTEM, at=taking.at,
    )  # fmt: skip


def _raise_sos(actor: Actor, person: Patient, button: str, at: datetime) -> RiskAlert:
    return raise_alert(
        actor=actor, organization_id=person.organization_id, patient_id=person.pk, kind=Kind.SELF_HARM,
        level=SOS_LEVELS[button], reason_code=f"sos_{button}", source=AlertSource.SOS,
        facts={"rules_fired": ["H13"]}, waiting=True, renotify=True, at=at,
    )  # fmt: skip


def _support(taking: _Taking) -> dict[UUID | None, dict[str, Any]]:
    wanting = [row for row in taking.rows if row.outcome.wants_support]
    if not wanting:
        return {}
    organization_id = taking.parcel.organization_id
    people = {row.person.pk: row.person.language for row in wanting if row.person is not None}
    blocks: dict[UUID | None, dict[str, Any]] = {**support_for(organization_id, people.items(), taking.at)}
    if any(row.person is None for row in wanting):
        blocks[None] = general_support(organization_id, taking.at)
    return blocks


def _record_batch(taking: _Taking, alerts: list[RiskAlert]) -> None:
    """One record that names the batch's items and people."""
    people = sorted({str(row.outcome.patient_id) for row in taking.rows if row.outcome.patient_id})
    results = Counter(f"{row.item.kind or 'unknown'}.{row.outcome.result}" for row in taking.rows)
    codes: dict[str, Any] = {
        "route": taking.parcel.route, "results": dict(results), "alerts": len(alerts),
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
    alert = _raise_sos(actor, person, press.button, at)
    support = support_for(organization_id, [(person.pk, person.language)], at)[person.pk]
    record(actor, "sos.taken", alert, subject=person.pk, purpose="intake", codes={"button": press.button})
    return Reply(200, encode({"result": "taken", "alert": str(alert.pk), "support": support}))


@action
def take_registration(
    *, actor: Actor, parcel: Parcel, data: RegisterPatient | None, at: datetime | None = None
) -> Reply:
    """Put a person on record once per Idempotency-Key; a refusal (409, 422) is kept like an answer."""
    kept = _kept(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    at = clock(at)
    if data is None:
        return _refuse(actor, parcel, at)
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
    _keep(parcel, reply, at)
    return reply


@action
def mint_token(
    *, actor: Actor, organization_id: UUID, key_id: UUID, pseudonym: str, life: timedelta,
    at: datetime | None = None,
) -> Reply:  # fmt: skip
    """Mint a token for one patient's own device. Raises NotFound for an unknown patient."""
    person = by_pseudonyms(organization_id, [pseudonym]).get(pseudonym)
    if person is None:
        raise NotFound("There is no such patient.", "unknown_patient")
    at = clock(at)
    token = tokens.mint(person.pk, organization_id, key_id, at, life)
    record(actor, "patient_token.minted", person, subject=person.pk, codes={"key": str(key_id)})
    members = {"token": token, "expires_at": (at + life).isoformat(timespec="seconds")}
    return Reply(201, encode(members), headers={"Cache-Control": "no-store"})


@quiet("answers and item ids leave by their own time; what they stood for has its own record")
def forget_expired(*, actor: Actor, limit: int = 10_000, at: datetime | None = None) -> int:
    """Delete kept answers and item ids whose time is over, at most `limit` of each; return how many."""
    at = clock(at)
    gone = 0
    for model in (IntakeRequest, IntakeKey):
        ids = list(model.objects.expired(at).values_list("pk", flat=True)[:limit])
        gone += model.objects.filter(pk__in=ids).delete()[0]
    return gone
