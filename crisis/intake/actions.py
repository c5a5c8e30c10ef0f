"""Writes of intake: one batch is one transaction, from the lock on its key to the answer that is kept."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from cortex.access.context import AccessContext, opening
from cortex.api.problems import encode
from cortex.audit import Actor, NotFound, RuleBroken, Unchanged, action, part, quiet, record
from cortex.clock import clock
from cortex.crypto.errors import SealedError
from cortex.ops.bulk import insert_columns, insert_rows
from cortex.ops.postgres.base import is_lost
from cortex.ops.turns import politely
from crisis.intake import queries, storing
from crisis.intake.answers import Outcome, Reply, batch_reply, refusal_reply
from crisis.intake.gaps import KEPT, note_gaps
from crisis.intake.items import Item, pseudonyms_of, read_items
from crisis.intake.models import ANSWER_LIFE, IntakeKey, IntakeRequest
from crisis.intake.parcels import Parcel, Press
from crisis.intake.screening import (
    fail_closed,
    hold_back,
    maybe_polite,
    scorable,
    score_rows,
    screen_rows,
    shadow_rows,
)
from crisis.intake.sorting import CONSENTS, Facts, Sorted, sort_items
from crisis.intake.wording import Wording
from crisis.resources.support import general_support, support_for
from crisis.risk.lexicon import Lexicon, lexicon
from crisis.risk.lexicons import lexicon_of, shadows_of
from crisis.risk.queries import model_state
from crisis.risk.queries import switches as engine_switches
from crisis.risk.switches import NOTHING
from crisis.risk.textmodel import text_model
from crisis.triage.actions import assess_rows
from patients.privacy.actions import record_consent
from patients.privacy.queries import decisions
from patients.privacy.records import clock_of
from patients.registry.models import Patient
from patients.sessions.actions import store_batch, store_sessions
from patients.sessions.models import Session
from patients.sessions.queries import feature_values

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
    lexicon: Lexicon = field(default_factory=lexicon)

    @property
    def at(self) -> datetime:
        """When it was received."""
        return self.facts.at


@action
def take_batch(*, actor: Actor, parcel: Parcel, at: datetime | None = None) -> Reply:
    """Take a batch: screen, store, decide, alert, answer; the answer of a key is kept with what it did.

    Raises RuleBroken `in_flight` (409) or `other_body` (422) for a key that is in use, NotFound for a token
    whose patient is no longer on record.
    """
    kept = queries.kept_reply(parcel)
    if kept is not None:
        return Unchanged(kept)  # type: ignore[return-value]
    if parcel.refusal is not None:
        return Unchanged(refuse_parcel(actor=actor, parcel=parcel, at=at))  # type: ignore[return-value]
    people = queries.people_of(parcel.organization_id, pseudonyms_of(parcel.raw_items), parcel.patient_id)
    if parcel.patient_id is not None and not people:
        raise NotFound("This patient is no longer on record.", "unknown_patient")
    with opening(actor, purpose="intake") as ctx:
        people, closed = _locked(ctx, people)
        # After the lock: what somebody decided while this batch waited was decided without knowing it.
        at = clock(at)
        facts = Facts(
            parcel.client, at, people, Wording(ctx.key_for, closed), clock_of(actor), allowed=parcel.allowed
        )
        taking = _Taking(actor, parcel, facts)
        _sort(taking, ctx, closed)
        _store(taking)
    alerts = assess_rows(actor=actor, rows=taking.rows, sessions=taking.sessions, at=at)
    reply = batch_reply((row.outcome for row in taking.rows), at, parcel.wait, _support(taking))
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    _record_batch(taking, alerts)
    return reply


@part
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
def refuse_parcel(*, actor: Actor, parcel: Parcel, at: datetime | None = None) -> Reply:
    """Answer a request that can't be read, with its place and with support; the answer is kept."""
    refusal = parcel.refusal
    if refusal is None:
        raise ValueError("only a refused parcel is refused")
    at = clock(at)
    reply = refusal_reply(refusal, general_support(parcel.organization_id, at))
    keep_answer(actor=actor, parcel=parcel, reply=reply, at=at)
    record(actor, "intake.refused", codes={"code": refusal.code, "route": parcel.route}, outcome="refused")
    return reply


def _locked(ctx: AccessContext, people: dict[str, Patient]) -> tuple[dict[str, Patient], set[UUID]]:
    """Open the people's keys and lock them; return the people, and whose key can't be had.

    The keys come first, so that nobody waits for the key store; a merge while we waited is rare.
    """
    ids = {person.pk for person in people.values()}
    closed = _open_keys(ctx, ids)
    people = queries.locked_people(people)
    return people, closed | _open_keys(ctx, {person.pk for person in people.values()} - ids)


def _sort(taking: _Taking, ctx: AccessContext, closed: set[UUID]) -> None:
    """Read and decide about each item, by the consents and item ids as they stand behind the lock."""
    facts, parcel = taking.facts, taking.parcel
    ids = sorted({person.pk for person in facts.people.values()})
    if ids:
        ctx.saw("intake", subjects=ids, organization_id=parcel.organization_id)
    own = tuple(facts.people) if parcel.patient_id is not None else ()
    items = read_items(parcel.raw_items, facts.at, parcel.repaired, own)
    facts.consents = decisions(ids, CONSENTS, facts.at)
    facts.known = queries.known_keys({key for item in items if (key := facts.key_of(item))}, facts.at)
    facts.kinds = queries.told_kinds(items, facts)
    facts.transcribed = queries.with_transcript(items, facts)
    taking.rows = sort_items(politely(items), facts)
    switches = engine_switches([parcel.organization_id]).get(parcel.organization_id, NOTHING)
    taking.lexicon = lexicon_of(switches.live_lexicon)
    screen_rows(politely(taking.rows), taking.lexicon.screen, {})
    shadows = shadows_of(switches.shadow_lexicons)
    polite = maybe_polite(taking.rows)
    # Asked for only where it can matter: the place of a text decides about a courtesy, and nothing else.
    turns = queries.turns(taking.rows, facts.at) if shadows or polite else {}
    screen_rows((row for row in polite if row.item.index in turns), taking.lexicon.screen, turns)
    hold_back(taking.rows)
    fail_closed(taking.rows, closed, storing.needs_seal)
    shadow_rows(taking.rows, shadows, turns)
    _score(taking)


def _score(taking: _Taking) -> None:
    """Let the text model read what the organization's setting lets it; nothing is asked where it can't.

    Nor where another lexicon is live: the model was trained beside the package's, whose word it also weighs.
    """
    if taking.lexicon is not lexicon():
        return
    model, rows = text_model(), scorable(taking.rows)
    if model is not None and rows:
        score_rows(rows, model, model_state(taking.parcel.organization_id, model.version))


def _open_keys(ctx: AccessContext, ids: set[UUID]) -> set[UUID]:
    """Load the keys of everybody, or of each alone when one is bad; return whose key can't be had."""
    try:
        ctx.load_keys(ids, create=True)
    except DatabaseError as error:
        log.error("key store unreachable", exc_info=error)
        return ids
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
    """Write what is taken in bulk; when that fails, each on its own, so that one costs no other.

    Whatever goes wrong with one item, a defect of ours included, the words beside it must raise their alert.
    """
    taken = [row for row in taking.rows if row.is_taken]
    taking.messages = queries.message_ids(taking.rows, taking.facts)
    try:
        taking.sessions |= _write(taking, taken)
    except Exception as error:
        if is_lost():
            # The transaction went with the connection: nothing can be stored one by one.
            raise
        log.warning("bulk write refused", exc_info=error)
        for row in taken:
            _write_alone(taking, row)
    keys = storing.keys_of(taking.rows, taking.messages, taking.facts, taking.parcel.organization_id)
    changed = ["result", "object_type", "object_id", "words", "told", "expires_at"]
    if keys:
        insert_columns(IntakeKey, keys, unique=["id"], update=changed)
    for row, kind in queries.said_in(taking.rows, taking.messages, taking.sessions):
        row.said_in = kind


def _write_alone(taking: _Taking, row: Sorted) -> None:
    try:
        taking.sessions |= _write(taking, [row])
    except Exception as error:
        if is_lost():
            raise
        log.error("could not store", exc_info=error)
        row.fail("could_not_store")


def _write(taking: _Taking, taken: list[Sorted]) -> dict[storing.SessionKey, Session]:
    return write_rows(
        actor=taking.actor, organization_id=taking.parcel.organization_id, rows=taken,
        messages=taking.messages,
        lexicon_version=taking.lexicon.version, at=taking.at,
    )  # fmt: skip


@action
def write_rows(
    *, actor: Actor, organization_id: UUID, rows: list[Sorted], messages: dict[storing.MessageKey, UUID],
    lexicon_version: str, at: datetime,
) -> dict[storing.SessionKey, Session]:  # fmt: skip
    """Write the rows of sorted items, all or none: a part of `take_batch`, which records them by name."""
    sessions = store_sessions(actor=actor, sessions=storing.sessions_of(rows, at))
    ids = {key: row.pk for key, row in sessions.items()}
    shelf = storing.Shelf(at, ids, messages, lexicon_version)
    batch = storing.prepare(politely(rows), shelf)
    note_gaps(rows, batch, shelf, feature_values({data.session_id for data in batch.features}, KEPT))
    store_batch(actor=actor, batch=batch)
    storing.name_check_ins(rows, batch)
    people = {row.person.pk: row.person for row in rows if row.person is not None}
    for patient_id, consents in storing.consents_of(rows).items():
        record_consent(actor=actor, patient=people[patient_id], consents=consents, at=at)
    insert_rows(storing.telemetry_of(rows, organization_id))
    return Unchanged(sessions)  # type: ignore[return-value]


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
    people = queries.people_of(organization_id, [press.pseudonym], patient_id)
    person = next(iter(queries.locked_people(people).values()), None)
    if person is None:
        raise RuleBroken("Name a patient of this service.", "unknown_patient", status=422, pointer="/patient")
    at = clock(at)
    item = Item(index=0, kind="sos", pseudonym=person.anonymous_id, at=at, values={"button": press.button})
    assess_rows(actor=actor, rows=[Sorted(Outcome(item, patient_id=person.pk), person)], sessions={}, at=at)
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
