"""From an evaluation to alerts and review items: the desk's decision for each kind (domain 4.5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, Unchanged, action
from cortex.clock import clock
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RiskAlert, Source
from crisis.decisions import queries
from crisis.decisions.facts import facts_of
from crisis.reviews.actions import make_item
from crisis.risk import desk
from crisis.risk.desk import Move, OpenAlert
from crisis.risk.evaluation import Evaluation
from crisis.risk.reasons import reason_code
from crisis.risk.rows import newest_of
from crisis.risk.types import KindSignal, Level
from patients.registry.models import Patient

SOS_RULE = "H13"


@action
def apply_decisions(
    *, actor: Actor, evaluations: dict[UUID, Evaluation], besides: str = "", at: datetime | None = None
) -> dict[UUID, list[RiskAlert]]:
    """Raise, raise the level of, tell again about or append to alerts, per person and kind.

    The evaluations were stored by the caller's action in this same transaction; the kind `besides` is decided
    by the caller. Return the open alerts that each person's evaluation raised or joined.
    """
    at = clock(at)
    patients = queries.locked_patients(evaluations)
    standing = queries.standing(evaluations)
    joined: dict[UUID, list[RiskAlert]] = {}
    for patient_id, evaluation in evaluations.items():
        patient = patients[patient_id]
        for signal in evaluation.result.signals:
            if signal.kind == besides:
                continue
            alert = _decide(actor, patient, evaluation, signal, standing, at)
            if alert is not None:
                joined.setdefault(patient_id, []).append(alert)
        _make_reviews(actor, patient, evaluation, at)
    # Every alert and item above is recorded by its own action; a quiet evaluation changes nothing here.
    return Unchanged(joined)  # type: ignore[return-value]


def _decide(
    actor: Actor,
    patient: Patient,
    evaluation: Evaluation,
    signal: KindSignal,
    standing: queries.Standing,
    at: datetime,
) -> RiskAlert | None:
    alert = standing.open.get((patient.pk, signal.kind))
    # The engine's own level, not the one that the hysteresis holds up: a held level never creates, and must
    # not swallow new evidence that reaches a level by itself.
    decision = desk.decide(
        level=signal.level,
        score=signal.score,
        rules=signal.rules,
        newest_evidence_at=signal.newest_at,
        open_alert=_as_open(alert),
        resolved_at=standing.ended.get((patient.pk, signal.kind)),
    )
    if decision.move in (Move.NONE, Move.LOG_ONLY):
        return None
    pressed = _is_pressed(evaluation, signal)
    if (
        alert is not None
        and decision.move is Move.APPEND
        and not pressed
        and not _is_news(alert, evaluation, signal)
    ):
        return alert
    return raise_alert(
        actor=actor,
        organization_id=patient.organization_id,
        patient_id=patient.pk,
        kind=signal.kind,
        level=str(decision.level),
        reason_code=reason_code(signal.rules, decision.level, signal.kind),
        source=Source.SOS if SOS_RULE in signal.rules else Source.ENGINE,
        facts=facts_of(evaluation, signal),
        waiting=pressed,
        renotify=decision.move is Move.RENOTIFY or pressed,
        at=at,
    )


def _is_pressed(evaluation: Evaluation, signal: KindSignal) -> bool:
    """Whether the person pressed a button since the last look; a press of then still holds the floor now."""
    if SOS_RULE not in signal.rules:
        return False
    presses = [floor.newest_at for floor in evaluation.result.floors if floor.rule == SOS_RULE]
    looked = evaluation.previous.computed_at if evaluation.previous else None
    return looked is None or any(moment > looked for moment in presses)


def _as_open(alert: RiskAlert | None) -> OpenAlert | None:
    if alert is None:
        return None
    score = float(alert.last_notified_score) if alert.last_notified_score is not None else 0.0
    return OpenAlert(level=Level(alert.level), notified_score=score, rules=list(alert.rules_fired))


def _is_news(alert: RiskAlert, evaluation: Evaluation, signal: KindSignal) -> bool:
    """Whether something came in since the last evidence or look: an echo is no news for the board."""
    known = [datetime.fromisoformat(one["observed_at"]) for one in alert.factors]
    looked = newest_of(evaluation.previous, signal.kind)
    known += [looked] if looked is not None else []
    return signal.newest_at is not None and all(signal.newest_at > moment for moment in known)


def _make_reviews(actor: Actor, patient: Patient, evaluation: Evaluation, at: datetime) -> None:
    """Medium is a task for today, made when the level rises to it; safeguarding when its rule fires."""
    before = evaluation.previous.level if evaluation.previous else "low"
    for code in evaluation.result.reviews:
        if code == "risk_review" and (before != "low" or evaluation.assessment.level != "medium"):
            continue
        make_item(
            actor=actor,
            organization_id=patient.organization_id,
            patient=patient,
            reason_code=code,
            source_type="assessment",
            source_id=evaluation.assessment.pk,
            at=at,
        )
