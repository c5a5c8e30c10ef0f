"""Writes of the review of emotions: confirm, correct, reject, and take back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from clinical.sessions.emotions import queries
from clinical.sessions.labels import reach
from cortex.audit import Actor, InputRefused, RuleBroken, action, record
from cortex.clock import clock
from patients.codes import VOICE_EMOTIONS, Emotion, EmotionSource, ReviewStatus
from patients.registry import access
from patients.registry.queries import rows_of
from patients.sessions.observations import EmotionObservation

# [P] the reader's own review comes back within this span.
UNDO_WITHIN = timedelta(minutes=15)
VERDICTS = (ReviewStatus.CONFIRMED, ReviewStatus.CORRECTED, ReviewStatus.REJECTED)
FIELDS = ("review_status", "reviewed_by", "reviewed_at", "corrected_label", "updated_at")


@action
def review_emotion(
    *, actor: Actor, patient_id: UUID, observation_id: UUID, verdict: str, label: str = "",
    at: datetime | None = None,
) -> EmotionObservation:  # fmt: skip
    """Say whether an emotion was read rightly; a correction names the right label.

    The label that was read stays as it is beside the verdict, and so does the evidence in the ledger: a
    review counts for the model, and only a human's level changes the person's (H4).
    """
    if verdict not in VERDICTS:
        raise InputRefused("Confirm, correct or reject it.", "verdict_unknown", field="verdict")
    at = clock(at)
    row = _of(actor, patient_id, observation_id, at)
    if row.review_status != ReviewStatus.UNREVIEWED:
        raise RuleBroken("Somebody has reviewed this already. Look again.", "already_reviewed")
    if verdict == ReviewStatus.CORRECTED:
        _check_label(row, label)
    row.review_status, row.reviewed_by, row.reviewed_at = verdict, actor.person, at
    row.corrected_label = label if verdict == ReviewStatus.CORRECTED else ""
    row.save(update_fields=FIELDS)
    codes = {"verdict": verdict, "model": row.model_name, "version": row.model_version}
    record(actor, "emotion.reviewed", row, subject=row.patient_id, codes=codes)
    return row


@action
def take_back_review(
    *, actor: Actor, patient_id: UUID, observation_id: UUID, at: datetime | None = None
) -> EmotionObservation:
    """Undo one's own review within a quarter of an hour."""
    at = clock(at)
    row = _of(actor, patient_id, observation_id, at)
    if row.review_status == ReviewStatus.UNREVIEWED or row.reviewed_by_id != actor.person.pk:
        raise RuleBroken("This is not your review.", "not_yours")
    if row.reviewed_at is None or at - row.reviewed_at > UNDO_WITHIN:
        raise RuleBroken("This was reviewed more than a quarter of an hour ago.", "too_late")
    row.review_status, row.reviewed_by, row.reviewed_at = ReviewStatus.UNREVIEWED, None, None
    row.corrected_label = ""
    row.save(update_fields=FIELDS)
    record(actor, "emotion.review_taken_back", row, subject=row.patient_id)
    return row


def _of(actor: Actor, patient_id: UUID, observation_id: UUID, at: datetime) -> EmotionObservation:
    who = access.treated(actor, patient_id, at)
    return queries.locked_observation(rows_of(who), observation_id, reach(actor, who, at))


def _check_label(row: EmotionObservation, label: str) -> None:
    allowed = VOICE_EMOTIONS if row.source == EmotionSource.VOICE else Emotion.values
    if label not in allowed:
        raise InputRefused("Choose the emotion that you see.", "label_unknown", field="label")
    if label == row.label:
        raise InputRefused("That is what was read: confirm it instead.", "label_same", field="label")
