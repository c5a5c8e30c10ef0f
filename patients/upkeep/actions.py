"""Extraction of coded scalars, the nightly purge of words (K7) and of places, in small batches."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from cortex.access.context import AccessContext, opening
from cortex.audit import Actor, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.crypto.errors import KeyProviderError, SealedError
from cortex.ops.actions import note_retention_run
from cortex.ops.letters.actions import bury_row
from cortex.ops.models import RetentionPolicy
from patients.codes import ConsentType, HeldRecords
from patients.holds.queries import held_people
from patients.privacy.queries import consent_state
from patients.registry.person import LastLocation
from patients.sessions.builders import put_features
from patients.sessions.extraction import scalars
from patients.sessions.models import SessionFeature, VoiceSession
from patients.sessions.retention import BATCH, HOLDS, LONGEST_DAYS, delete_after, kept_days

EXTRACTION_BATCH = 200
# What a dead letter of a session that can't be read is called.
FEATURES = "patients.VoiceSession.voice_features"
Scalars = dict[str, float | bool]
log = logging.getLogger("cortex.upkeep")


@action
def extract_voice(*, actor: Actor, limit: int = EXTRACTION_BATCH, at: datetime | None = None) -> int:
    """Copy the coded scalars of voice sessions that wait for it, and set when their words must be gone.

    Rows that another worker holds are skipped. One that can't be read is marked with its error's class, for a
    person to look at, and costs the others nothing. Of whoever took back the consent to it nothing is copied.
    Returns how many were done, left or marked.
    """
    at = clock(at)
    waiting = VoiceSession.objects.waiting_for_extraction()
    rows = list(
        waiting.select_for_update(of=("self",), skip_locked=True)
        .select_related("session", "organization", "patient")
        .order_by("received_at")[:limit]
    )
    if not rows:
        return Unchanged(0)  # type: ignore[return-value]
    allowed = _who_allow(rows, at)
    rows, left = ([row for row in rows if (row.patient_id in allowed) is wanted] for wanted in (True, False))
    with opening(actor, purpose="extraction") as ctx:
        found, unreadable = _scalars(ctx, rows)
        people = sorted({row.patient_id for row in rows if row.pk in found})
        if people:
            ctx.saw("voice_features", subjects=people, object_type="patients.VoiceSession")
    done = [row for row in rows if row.pk in found]
    _copy_scalars(done, found)
    for row in done:
        row.patterns_extracted, row.extracted_at = True, at
    for row in (*done, *left):
        row.processed = True
        row.delete_after = delete_after(row.session.started_at, at, kept_days(row.organization.settings))
    marked = [row for row in rows if row.pk in unreadable]
    for row in marked:
        row.extraction_error = unreadable[row.pk]
        bury_row(
            actor=actor, name=FEATURES, row_id=row.pk, organization_id=row.organization_id,
            error_code=row.extraction_error, at=at,
        )  # fmt: skip
    if not done and not marked and not left:
        return Unchanged(0)  # type: ignore[return-value]
    fields = ["processed", "patterns_extracted", "extracted_at", "extraction_error", "delete_after"]
    VoiceSession.objects.bulk_update([*done, *left, *marked], fields)
    codes = {"sessions": [str(row.pk) for row in done]}
    codes |= {"without_consent": [str(row.pk) for row in left]} if left else {}
    codes |= {"unreadable": [str(row.pk) for row in marked]} if marked else {}
    record(actor, "voice.extracted", codes=codes, outcome="data_loss" if marked else "done")
    return len(done) + len(left) + len(marked)


def _who_allow(rows: list[VoiceSession], at: datetime) -> set[UUID]:
    """Return the rows of these people who allow now that their voice is analysed."""
    person_of = {row.patient_id: row.patient.person_id for row in rows}
    state = consent_state(set(person_of.values()), [ConsentType.VOICE_PROCESSING], at)
    return {pk for pk, person in person_of.items() if state[person, ConsentType.VOICE_PROCESSING]}


@quiet("a row that could not be read is read once more; that somebody wished it is recorded")
def retry_extraction(actor: Actor, letter: Any, at: datetime) -> None:
    """Take the mark off the session of a dead letter; raise RuleBroken when its words have left."""
    marked = VoiceSession.objects.holding_words().filter(pk=letter.row_id)
    if not marked.update(extraction_error="", updated_at=at):
        raise RuleBroken("Its words have left by rule: set the letter aside.", "words_gone")


def _scalars(ctx: AccessContext, rows: list[VoiceSession]) -> tuple[dict[UUID, Scalars], dict[UUID, str]]:
    """Return the scalars of the rows, and the error's class of each that can't be read; others wait."""
    try:
        ctx.open(rows)
        return {row.pk: scalars(row.voice_features) for row in rows}, {}
    except SealedError as error:
        log.error("a voice session can't be read", exc_info=error)
    found: dict[UUID, Scalars] = {}
    unreadable: dict[UUID, str] = {}
    for row in rows:
        try:
            ctx.open([row])
            found[row.pk] = scalars(row.voice_features)
        except KeyProviderError:
            # Nothing is wrong with the row: its key can't be had now.
            continue
        except SealedError as error:
            unreadable[row.pk] = type(error).__name__
    return found, unreadable


@dataclass(frozen=True, slots=True)
class Purged:
    """What one batch of a purge did; `lost` left before the extraction had looked at them."""

    scanned: int
    deleted: int
    held: int
    lost: int
    is_last: bool


@action
def purge_voice(
    *, actor: Actor, at: datetime | None = None, limit: int = BATCH, is_dry_run: bool = False
) -> Purged:
    """Empty the words and full features whose time is over, a thousand at most, and note the run.

    A dry run counts only. What the extraction never did leaves as well: the run's `errors` and the audit row
    name it, since patterns lose those sessions. Rows under a hold stay and are counted.
    """
    at = clock(at)
    limit = min(limit, BATCH)
    due = VoiceSession.objects.due_for_purge(at)
    held = due.filter(_held(at)).count() if HOLDS else 0
    free = due.exclude(_held(at)) if HOLDS else due
    rows = list(
        free.select_for_update(skip_locked=True)
        .order_by("delete_after", "pk")
        .values_list("pk", "processed")[:limit]
    )
    lost = [pk for pk, processed in rows if not processed]
    if not rows and not held:
        return Unchanged(Purged(0, 0, 0, 0, True))  # type: ignore[return-value]
    deleted = 0 if is_dry_run else _empty([pk for pk, _ in rows], at)
    note_retention_run(
        actor=actor, policy_id=_policy().pk, scanned=len(rows) + held, deleted=deleted, held=held,
        errors=len(lost), is_dry_run=is_dry_run, at=at,
    )  # fmt: skip
    codes = {"deleted": deleted, "held": held, "lost": [str(pk) for pk in lost], "dry": is_dry_run}
    record(actor, "voice.purged", codes=codes, outcome="data_loss" if lost else "done")
    return Purged(len(rows) + held, deleted, held, len(lost), len(rows) < limit)


@action
def purge_places(*, actor: Actor, at: datetime | None = None) -> int:
    """Delete the last known places that have expired and that no hold keeps; return how many."""
    at = clock(at)
    over = LastLocation.objects.filter(expires_at__lte=at)
    # Days aren't asked: there is one place alone, the last.
    held = over.filter(patient__in=held_people(HeldRecords.PERSON))
    count, _ = over.exclude(pk__in=held.values("pk")).delete()
    if not count:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "place.purged", codes={"deleted": count, "held": held.count()})
    return count


def _copy_scalars(rows: list[VoiceSession], found: dict[UUID, Scalars]) -> None:
    known = {row.session_id: row for row in SessionFeature.objects.filter(session_id__in=list(found))}
    fresh = []
    for row in rows:
        feature = known.get(row.pk)
        if feature is None:
            feature = SessionFeature(
                organization_id=row.organization_id, patient_id=row.patient_id, session_id=row.pk,
                observed_at=row.session.started_at,
            )  # fmt: skip
            fresh.append(feature)
        put_features(feature, found[row.pk])
    SessionFeature.objects.bulk_create(fresh)
    names = sorted({name for values in found.values() for name in values})
    if known and names:
        SessionFeature.objects.bulk_update(known.values(), names)


def _held(at: datetime) -> Q:
    held = Q(pk__in=[])
    for condition in HOLDS.values():
        held |= condition(at)
    return held


def _empty(identifiers: list[UUID], at: datetime) -> int:
    rows = VoiceSession.objects.filter(pk__in=identifiers)
    return rows.update(
        transcript_encrypted=None, transcript_hash=None, voice_features=None, purged_at=at, updated_at=at
    )


def _policy() -> RetentionPolicy:
    policy, _ = RetentionPolicy.objects.get_or_create(
        model="patients.VoiceSession",
        basis_field="extracted_at",
        action="delete",
        defaults={
            "days": LONGEST_DAYS,
            "legal_basis": "Data minimisation; 14 days after the start at the latest.",
            "overridable_by": "voice_retention_days",
        },
    )
    return policy
