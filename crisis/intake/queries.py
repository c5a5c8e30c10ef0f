"""Reads of intake: kept answers behind their lock, and item ids that are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from cortex.audit import NotFound, RuleBroken
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.ops.postgres.questions import kept
from crisis.alerts.models import Level, RiskAlert
from crisis.intake.answers import Reply, Result
from crisis.intake.fields import NAME
from crisis.intake.items import Item
from crisis.intake.models import IntakeKey, IntakeRequest, Source, key_id
from crisis.intake.parcels import Parcel
from crisis.intake.sorting import Facts, Known, Sorted, row_id
from crisis.intake.storing import MessageKey, SessionKey, message_key, session_key
from patients.codes import MessageRole, PatientStatus
from patients.registry.models import Patient
from patients.registry.queries import by_pseudonyms, locked, names_of, patient, patients
from patients.sessions.messages import Message
from patients.sessions.models import Session
from patients.sessions.queries import kinds_around, kinds_of, transcribed
from patients.sessions.records import AHEAD, OLDEST

SHORT_TEXT = 80


def try_lock(sender: str, idempotency_key: str) -> bool:
    """Take the lock of one Idempotency-Key until the transaction ends; False when a request holds it now.

    A lock dies with its connection, so a killed process leaves no key in flight.
    """
    digest = hashlib.sha256(f"{sender}\x1f{idempotency_key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)]
        )
        return bool(cursor.fetchone()[0])


def kept_reply(parcel: Parcel) -> Reply | None:
    """Lock the request's key and return the answer that it got before, if it did.

    Raises RuleBroken `in_flight` (409) or `other_body` (422).
    """
    if not parcel.idempotency_key:
        return None
    if not try_lock(parcel.sender, parcel.idempotency_key):
        raise RuleBroken("This Idempotency-Key is being worked on; ask again in a second.", "in_flight")
    row = kept_request(parcel.sender, parcel.idempotency_key, clock())
    if row is None:
        return None
    if bytes(row.body_digest) != parcel.digest:
        raise RuleBroken("This Idempotency-Key was used with another body.", "other_body", status=422)
    return Reply(row.status, bytes(row.answer), row.content_type)


def kept_request(sender: str, idempotency_key: str, at: datetime) -> IntakeRequest | None:
    """Return the kept answer of this key, unless its 24 hours are over."""
    rows = IntakeRequest.objects.filter(sender=sender, idempotency_key=idempotency_key, expires_at__gt=at)
    return rows.first()


def people_of(
    organization_id: UUID, pseudonyms: Iterable[str], patient_id: UUID | None
) -> dict[str, Patient]:
    """Return the person behind each name: of those that were sent, or of a patient's own token.

    A token answers to all names of its one person, their own first; nobody when they are not on record.
    """
    if patient_id is None:
        return people_behind(by_pseudonyms(organization_id, pseudonyms))
    row = patient(patient_id)
    person = patient(row.person_id) if row is not None else None
    if person is None or person.organization_id != organization_id or person.status == PatientStatus.DELETED:
        return {}
    return dict.fromkeys((person.anonymous_id, *names_of(person.pk)), person)


def person_of(organization_id: UUID, pseudonym: str, patient_id: UUID | None = None) -> Patient:
    """Return the person behind a pseudonym, or of a patient's own token; NotFound when not on record."""
    names = [pseudonym] if NAME.fullmatch(pseudonym) else []
    found = people_of(organization_id, names, patient_id)
    person = found.get(pseudonym) if patient_id is None else next(iter(found.values()), None)
    if person is None:
        raise NotFound("There is no such patient.", "unknown_patient")
    return person


def people_behind(people: dict[str, Patient]) -> dict[str, Patient]:
    """Return the same names with the person behind each: a merged row points to the person's own."""
    merged = {row.merged_into_id for row in people.values() if row.merged_into_id is not None}
    if not merged:
        return people
    own = {row.pk: row for row in patients().filter(pk__in=merged).select_related("organization")}
    return {name: own.get(row.person_id, row) for name, row in people.items()}


def locked_people(people: dict[str, Patient]) -> dict[str, Patient]:
    """Lock the people by id and return them; who was merged while we waited is followed to the person."""
    rows = locked(row.pk for row in people.values())
    now = {name: rows.get(row.pk, row) for name, row in people.items()}
    moved = {name: row for name, row in now.items() if row.merged_into_id is not None}
    return locked_people(people | people_behind(moved)) if moved else people


def message_ids(rows: list[Sorted], facts: Facts) -> dict[MessageKey, UUID]:
    """Return the id of each message that items refer to: stored, in this batch, or allotted."""
    wanted = {message_key(row): row for row in rows if row.is_taken and "message" in row.item.values}
    if not wanted:
        return {}
    keys = {name: key_id(Source.ITEM, facts.client, *name) for name in wanted}
    known = known_keys(keys.values(), facts.at)
    found = {name: uuid7(row.item.moment()) for name, row in wanted.items()}
    found |= {name: key.object_id for name in wanted if (key := known.get(keys[name])) and key.object_id}
    here = {(row.outcome.patient_id, row.item.id): row.row_id for row in rows if _is_message(row)}
    return found | {name: here[name] for name in wanted if name in here}


def said_in(
    rows: Iterable[Sorted], messages: Mapping[MessageKey, UUID], sessions: Mapping[SessionKey, Session]
) -> list[tuple[Sorted, str]]:
    """Return each stored reading of a message that is known, with the kind of the session it was said in.

    One query where a reading is of a message that isn't of this batch, else none.
    """
    rows = list(rows)
    of = {
        row.item.index: messages[message_key(row)]
        for row in rows
        if row.item.kind == "emotion" and row.is_taken and "message" in row.item.values
    }
    if not of:
        return []
    kinds = {
        row.row_id: sessions[key].kind
        for row in rows
        if row.item.kind == "message" and row.is_taken and (key := session_key(row)) and key in sessions
    }
    kinds |= kinds_around(set(of.values()) - kinds.keys())
    return [(row, kinds[of[row.item.index]]) for row in rows if of.get(row.item.index) in kinds]


def turns(rows: list[Sorted], at: datetime) -> dict[int, int]:
    """Return the place of each short message of a patient in its conversation, from 1, by index of the item.

    Only the first turns matter (domain 4.6), so long messages and what has no session are left out.
    """
    keys = {row.item.index: key for row in rows if _is_short(row) and (key := session_key(row))}
    if not keys:
        return {}
    said = Message.objects.in_window(at - OLDEST - AHEAD, at + AHEAD * 2).filter(
        role=MessageRole.PATIENT,
        session__patient_id__in={patient_id for patient_id, _ in keys.values()},
        session__client_ref__in={name for _, name in keys.values()},
    )
    counted = said.values_list("session__patient_id", "session__client_ref").annotate(count=Count("pk"))
    found = {(patient_id, name): count for patient_id, name, count in counted}
    places = {}
    for index, key in keys.items():
        places[index] = found[key] = found.get(key, 0) + 1
    return places


def _is_short(row: Sorted) -> bool:
    values = row.item.values
    return (
        row.may_screen and row.is_taken and row.item.kind == "message" and len(values["text"]) <= SHORT_TEXT
    )


def told_kinds(items: Iterable[Item], facts: Facts) -> dict[tuple[UUID, str], str]:
    """Return the kind that a start gave to each session whose end says how neural audio was set.

    By (patient, session name); one query, none where no end says it.
    """
    wanted = {
        (row_id(person), item.values["session"])
        for item in items
        if item.kind == "session_ended" and item.refusal is None and item.values.get("neural_audio")
        and (person := facts.people.get(item.pseudonym)) is not None
    }  # fmt: skip
    return kinds_of(wanted)


def with_transcript(items: Iterable[Item], facts: Facts) -> set[tuple[UUID, str]]:
    """Return which sessions of the batch's transcripts have one; one query, none for other batches."""
    wanted = {
        (row_id(person), item.values["session"])
        for item in items
        if item.kind == "transcript" and item.refusal is None
        and (person := facts.people.get(item.pseudonym)) is not None
    }  # fmt: skip
    return transcribed(wanted)


def has_waiting_alert(patient_id: UUID, level: str) -> bool:
    """Whether an open alert of at least this level, on any row of the person, says that they are waiting."""
    levels = [Level.CRITICAL] if level == Level.CRITICAL else [Level.HIGH, Level.CRITICAL]
    rows = RiskAlert.objects.open().filter(patient__person_id=patient_id)
    return rows.filter(waiting_person=True, level__in=levels).exists()


def _is_message(row: Sorted) -> bool:
    return row.item.kind == "message" and row.outcome.result in (Result.STORED, Result.FAILED)


def known_keys(ids: Iterable[UUID], at: datetime) -> dict[UUID, Known]:
    """Return what item ids stand for that are known and have not expired, by key, in one query."""
    found = _keys(list(ids))
    return {row.pk: _known(row) for row in found if row.expires_at is None or row.expires_at > at}


@kept
def _keys(ids: list[UUID]) -> QuerySet[IntakeKey]:
    return IntakeKey.objects.filter(pk__in=ids)


def _known(row: IntakeKey) -> Known:
    words, told = (None if digest is None else bytes(digest) for digest in (row.words, row.told))
    return Known(row.result, row.object_type, row.object_id, words, told)
