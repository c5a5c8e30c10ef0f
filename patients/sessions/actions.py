"""Bulk writers of what apps send; the intake's action calls them inside its own transaction and context.

Every one needs an open access context with the keys of the people it writes for, and these people locked in
the order of their ids (`patients.registry.queries.locked`), so that two batches never race.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from cortex.access.context import AccessContext, current, holds
from cortex.audit import Actor, part, quiet
from cortex.ops.bulk import execute, insert_data, insert_rows
from patients.registry.person import LastLocation
from patients.sessions import builders
from patients.sessions.merging import apply, new_session
from patients.sessions.messages import AssistantRationale, Message, ToolAction
from patients.sessions.models import Session, SessionActivity, SessionFeature, SessionFeedback, VoiceSession
from patients.sessions.neural import NeuralAudioDetail
from patients.sessions.observations import DailyCheckIn, EmotionObservation
from patients.sessions.queries import named_sessions
from patients.sessions.records import Batch, CheckInData, LocationData, SessionData

SessionKey = tuple[UUID, str]
PART = "a part of the intake's batch, which writes the audit row"


@part
@quiet(PART)
def store_sessions(*, actor: Actor, sessions: list[SessionData]) -> dict[SessionKey, Session]:
    """Make or update the sessions that items speak of; return them by (patient id, client_ref).

    Items may come in any order and more than once: an end before its start makes the row, a late start moves
    it, and a status that is over is never reopened.
    """
    keys = {(data.patient_id, data.client_ref) for data in sessions}
    known = named_sessions(keys)
    fresh: dict[SessionKey, Session] = {}
    changed: dict[SessionKey, set[str]] = {}
    for data in sessions:
        key = (data.patient_id, data.client_ref)
        row = known.get(key) or fresh.get(key)
        if row is None:
            row = fresh[key] = new_session(data)
        names = apply(row, data)
        if key in known and names:
            changed.setdefault(key, set()).update(names)
    insert_rows(list(fresh.values()))
    for key, touched in changed.items():
        known[key].save(update_fields=[*touched, "updated_at"])
    return known | fresh


@part
@quiet(PART)
def store_batch(*, actor: Actor, batch: Batch) -> dict[str, int]:
    """Write one request's rows, a statement or two per kind; return how many of each.

    Ids of partitioned rows are those of the dataclasses. A check-in of a day that has one corrects it, a
    second rationale of a message is ignored. Raises IntegrityError when a CHECK refuses a row: the door
    has parsed bounds before.
    """
    _touch(batch)
    insert_data(Message, batch.messages, builders.message_columns(batch.messages))
    _details(VoiceSession, batch.voices, builders.voice_row, builders.put_voice, "voice_features")
    _details(NeuralAudioDetail, batch.neural, builders.neural_row, builders.put_neural)
    _features(batch)
    insert_data(EmotionObservation, batch.emotions, builders.emotion_columns(batch.emotions))
    insert_data(SessionActivity, batch.activities, {})
    insert_data(SessionFeedback, batch.feedback, {})
    insert_data(ToolAction, batch.tool_actions, {})
    insert_data(AssistantRationale, batch.rationales, {}, ignore=True)
    _check_ins(batch.check_ins)
    _locations(batch.locations)
    return {name: len(getattr(batch, name)) for name in batch.__dataclass_fields__ if getattr(batch, name)}


def _details(
    model: Any, items: Sequence[Any], new: Callable[[Any], Any], put: Callable[[Any, Any], list[str]],
    joined: str = "",
) -> None:  # fmt: skip
    """Make or change the one row that each item's session has in a model; no statement without items.

    `joined` is a sealed field whose kept value is read where an item brings more of it.
    """
    known = model.objects.in_bulk([item.session_id for item in items])
    bringing = {item.session_id for item in items if joined and getattr(item, joined) is not None}
    read = [row for row in known.values() if row.session_id in bringing and holds(row, joined)]
    if read:
        cast(AccessContext, current()).open(read, [joined])
    fresh: dict[UUID, Any] = {}
    changed: dict[UUID, set[str]] = {}
    for item in items:
        row = known.get(item.session_id) or fresh.get(item.session_id)
        if row is None:
            row = fresh[item.session_id] = new(item)
        names = put(row, item)
        if item.session_id in known and names:
            changed.setdefault(item.session_id, set()).update(names)
    insert_rows(list(fresh.values()))
    for session_id, touched in changed.items():
        known[session_id].save(update_fields=[*touched, "updated_at"])


def _features(batch: Batch) -> None:
    if not batch.features:
        return
    known = {
        row.session_id: row
        for row in SessionFeature.objects.filter(session_id__in={item.session_id for item in batch.features})
    }
    fresh: dict[UUID, SessionFeature] = {}
    for item in batch.features:
        row = known.get(item.session_id) or fresh.get(item.session_id)
        if row is None:
            row = fresh[item.session_id] = builders.feature_row(item)
        builders.put_features(row, item.values)
    insert_rows(list(fresh.values()))
    named = sorted({name for item in batch.features for name in item.values})
    if named:
        insert_rows(list(known.values()), unique=["id"], update=named)


def _check_ins(items: list[CheckInData]) -> None:
    known = _known_check_ins({(item.patient_id, item.date) for item in items})
    fresh: dict[tuple[UUID, date], DailyCheckIn] = {}
    changed: dict[tuple[UUID, date], set[str]] = {}
    for item in items:
        key = item.patient_id, item.date
        row = known.get(key) or fresh.get(key)
        if row is None:
            fresh[key] = builders.check_in_row(item)
            continue
        item.id = row.pk
        names = builders.put_check_in(row, item)
        if key in known:
            changed.setdefault(key, set()).update(names)
    insert_rows(list(fresh.values()))
    for key, touched in changed.items():
        known[key].save(update_fields=touched)


def _known_check_ins(wanted: set[tuple[UUID, date]]) -> dict[tuple[UUID, date], DailyCheckIn]:
    if not wanted:
        return {}
    people, days = {patient_id for patient_id, _ in wanted}, {day for _, day in wanted}
    rows = DailyCheckIn.objects.filter(patient_id__in=people, date__in=days)
    return {key: row for row in rows if (key := (row.patient_id, row.date)) in wanted}


def _locations(items: list[LocationData]) -> None:
    if not items:
        return
    newest = {item.patient_id: item for item in sorted(items, key=lambda item: item.seen_at)}
    rows = {row.patient_id: row for row in LastLocation.objects.filter(patient_id__in=list(newest))}
    for patient_id, item in newest.items():
        row = rows.get(patient_id)
        if row is not None and row.seen_at >= item.seen_at:
            continue
        row = row or LastLocation(patient_id=patient_id, organization_id=item.organization_id)
        builders.put_location(row, item)
        row.save()


# The greatest of those that aren't NULL.
_TOUCH = "UPDATE patients_patient SET last_active_at = GREATEST(last_active_at, %s) WHERE id = ANY(%s)"


def _touch(batch: Batch) -> None:
    """Move `last_active_at` of everybody in the batch to when it was received."""
    latest: dict[datetime, set[UUID]] = {}
    for name in batch.__dataclass_fields__:
        for item in getattr(batch, name):
            latest.setdefault(item.received_at, set()).add(item.patient_id)
    for at, people in latest.items():
        execute(_TOUCH, [at, list(people)])
