"""From an evaluation to alerts and review items (domain 4.5), and from a human's review to an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, part, record
from cortex.clock import clock
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RiskAlert, Source
from crisis.decisions import queries
from crisis.decisions.facts import facts_of
from crisis.duty.queries import READERS
from crisis.escalation.queries import medium_clocks
from crisis.reviews import queries as review_queries
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import FIRST_CONTACT, ReviewItem
from crisis.risk import desk
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.desk import Move, OpenAlert
from crisis.risk.evaluation import Evaluation
from crisis.risk.evidence import Draft, Origin, from_clinician_level, from_review
from crisis.risk.queries import latest_assessment
from crisis.risk.reasons import reason_code
from crisis.risk.rows import newest_of
from crisis.risk.types import KindSignal, Level
from patients.registry.models import Patient
from patients.registry.queries import lock_with_record

SOS_RULE = "H13"
# Words of somebody under 18.
SAFEGUARDING_RULE = "H10"
# The level of a review that leaves it to the signals.
SAME = "same"


@part
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
        # What raises an alert comes first: a kind at medium beside it makes no task of its own.
        signals = sorted(evaluation.result.signals, key=lambda one: one.level.rank, reverse=True)
        for signal in signals:
            if signal.kind == besides:
                continue
            has_alert = patient_id in joined or any(who == patient_id for who, _ in standing.open)
            alert = _decide(actor, patient, evaluation, signal, standing, at, has_alert=has_alert)
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
    *,
    has_alert: bool,
) -> RiskAlert | None:
    alert = standing.open.get((patient.pk, signal.kind))
    # The engine's own level, not the one that the hysteresis holds up: a held level never creates, and must
    # not swallow new evidence that reaches a level by itself.
    decision = desk.decide(
        level=signal.level,
        score=signal.score,
        rules=signal.rules,
        newest_evidence_at=signal.newest(Level.HIGH),
        open_alert=_as_open(alert),
        resolved_at=standing.ended.get((patient.pk, signal.kind)),
    )
    if decision.move in (Move.NONE, Move.LOG_ONLY):
        _review_news(actor, patient, evaluation, signal, at, has_alert=has_alert)
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
        reason_code=reason_code(_leading(evaluation, signal, decision.level), decision.level, signal.kind),
        source=Source.SOS if SOS_RULE in signal.rules else Source.ENGINE,
        facts=facts_of(evaluation, signal),
        waiting=pressed,
        renotify=decision.move is Move.RENOTIFY or pressed,
        at=at,
    )


def _review_news(
    actor: Actor,
    patient: Patient,
    evaluation: Evaluation,
    signal: KindSignal,
    at: datetime,
    *,
    has_alert: bool,
) -> None:
    """Make a task of what reaches medium by itself since the last look, where it opens no alert.

    Else an old floor that stands after its alert's end would swallow what is said under it. A score that
    stays at medium by itself (not a level that is only held there) had its task; words that set a floor are
    news each time. With it begins the clock of the first contact; an open alert of the person has one of its
    own.
    """
    before = evaluation.previous
    stays = before is not None and before.engine_level == Level.MEDIUM
    grounds = evaluation.result.floors if stays else signal.grounds
    since = before.computed_at if before is not None else None
    if any(
        one.level.rank >= Level.MEDIUM.rank and (since is None or one.newest_at > since) for one in grounds
    ):
        clocks = medium_clocks(patient.organization_id)
        _make_item(actor, patient, "risk_review", evaluation, at, at + clocks.acknowledge)
        if not has_alert:
            _make_item(actor, patient, FIRST_CONTACT, evaluation, at, at + clocks.contact)


def _leading(evaluation: Evaluation, signal: KindSignal, level: Level) -> list[str]:
    """Return the rules that the level itself comes from: what names it comes first (domain 4.4).

    A button for talking beside words that are critical doesn't say that somebody is in danger; the words do.
    """
    floors = evaluation.result.floors
    return [one.rule for one in floors if one.level is level and signal.kind in one.kinds] or [*signal.rules]


def _make_item(
    actor: Actor, patient: Patient, code: str, evaluation: Evaluation, at: datetime,
    due_at: datetime | None = None,
) -> None:  # fmt: skip
    make_item(
        actor=actor,
        organization_id=patient.organization_id,
        patient=patient,
        reason_code=code,
        source_type="assessment",
        source_id=evaluation.assessment.pk,
        due_at=due_at,
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
    """Make the tasks that rules ask for beside the level, once for what they rest on.

    Medium's own is made of its news.
    """
    looked = evaluation.previous.computed_at if evaluation.previous else None
    young = [one.newest_at for one in evaluation.result.floors if one.rule == SAFEGUARDING_RULE]
    is_news = looked is None or any(moment > looked for moment in young)
    for code in evaluation.result.reviews:
        if code != "risk_review" and is_news:
            _make_item(actor, patient, code, evaluation, at)


@action
def finish_risk_review(
    *, actor: Actor, item_id: UUID, outcome: str, level: str = "", note: str = "", at: datetime | None = None
) -> ReviewItem:
    """Finish a risk review; the level that its reader stated goes into the ledger, and decides anew.

    `level` is "same" (right as the signals have it; ends the floors that a review ends, domain 4.3), one of
    low to critical (H4), or empty when nobody judged it. Lowering goes one step at a time, with a reason, and
    from critical not here: that needs a second reader (domain 3.7, 3.8). Who is no clinician may raise it:
    their "same" ends no floor, and lowering is refused (`clinician_needed`).
    """
    patient_id = review_queries.risk_review_of(item_id)
    if patient_id is None:
        raise NotFound("This is no risk review.", "not_found")
    person_id = lock_with_record(patient_id)
    at = clock(at)
    item = finish_item(actor=actor, item_id=item_id, outcome=outcome, note=note, level=level, at=at)
    if not level:
        return Unchanged(item)  # type: ignore[return-value]
    newest = latest_assessment(person_id)
    before = Level(newest.level) if newest else Level.LOW
    if actor.kind == "user" and actor.role not in READERS:
        if level == SAME:
            return Unchanged(item)  # type: ignore[return-value]
        if level in set(Level) and Level(level).rank < before.rank:
            raise RuleBroken("A clinician says when a level is lower. Leave it as it is.", "clinician_needed")
    origin = Origin("clinician", at, source_id=item.pk)
    stated = from_review(origin) if level == SAME else _stated_level(level, before, note, origin)
    _decide_anew(actor, person_id, [stated], at)
    record(actor, "risk.reviewed", item, codes={"level": level, "before": str(before)})
    return item


@action
def state_level(
    *, actor: Actor, patient_id: UUID, level: str, note: str = "", drafts: Sequence[Draft] = (),
    source_id: UUID | None = None, session_id: UUID | None = None, at: datetime | None = None,
) -> tuple[str, list[RiskAlert]]:  # fmt: skip
    """Write what a clinician found and the level that they set (H4), and let the engine decide at once.

    `level` is "same" or one of low to critical, under the rules of `finish_risk_review`; `drafts` are coded
    factors of the same assessment; `note` is only asked for, the caller keeps it sealed. Return the level on
    record afterwards and the open alerts that this raised or joined.
    """
    person_id = lock_with_record(patient_id)
    at = clock(at)
    newest = latest_assessment(person_id)
    before = Level(newest.level) if newest else Level.LOW
    origin = Origin("clinician", at, source_id=source_id, session_id=session_id)
    stated = from_review(origin) if level == SAME else _stated_level(level, before, note, origin)
    joined = _decide_anew(actor, person_id, [*drafts, stated], at)
    after = latest_assessment(person_id)
    codes = {"level": level, "before": str(before), "after": after.level if after else ""}
    record(actor, "risk.stated", subject=person_id, codes=codes)
    return (after.level if after else ""), joined


@action
def step_down(*, actor: Actor, patient_id: UUID, source_id: UUID, at: datetime) -> str:
    """Write that two people lowered a critical level to high (domain 3.8), and let the engine decide at once.

    The caller has locked the person, asked the second reader and looked at every condition. Return the level
    on record afterwards.
    """
    person_id = lock_with_record(patient_id)
    origin = Origin("clinician", at, source_id=source_id)
    lower = from_clinician_level(Level.HIGH, Level.CRITICAL, origin)
    _decide_anew(actor, person_id, [lower], at)
    after = latest_assessment(person_id)
    level = after.level if after else ""
    codes = {"level": str(Level.HIGH), "before": str(Level.CRITICAL), "after": level}
    record(actor, "risk.stated", subject=person_id, codes=codes)
    return level


@action
def state_factors(
    *, actor: Actor, patient_id: UUID, drafts: Sequence[Draft], at: datetime | None = None
) -> list[RiskAlert]:
    """Write coded factors that a human found, without a word on the level, and let the engine decide at once.

    No review of the level: it ends no floor. Return the open alerts that this raised or joined.
    """
    person_id = lock_with_record(patient_id)
    # Evidence, evaluation and alerts are recorded by their own actions.
    return Unchanged(_decide_anew(actor, person_id, drafts, clock(at)))  # type: ignore[return-value]


def _decide_anew(actor: Actor, person_id: UUID, drafts: Sequence[Draft], at: datetime) -> list[RiskAlert]:
    append_evidence(actor=actor, drafts={person_id: drafts}, at=at)
    evaluations = evaluate_patients(actor=actor, patient_ids=[person_id], at=at)
    return apply_decisions(actor=actor, evaluations=evaluations, at=at).get(person_id, [])


def _stated_level(level: str, before: Level, note: str, origin: Origin) -> Draft:
    """Return the evidence of a level that a human set, or refuse it."""
    if level not in set(Level):
        raise InputRefused("Choose a level.", "required", field="level")
    stated = Level(level)
    if stated.rank < before.rank:
        if before is Level.CRITICAL:
            raise RuleBroken(
                "A critical level comes down only when a second reader agrees. Leave it as it is here, and "
                "ask a second reader on the person's crisis page.",
                "second_reader_needed",
            )
        if stated is not before.below:
            raise InputRefused("Lower it by one step at a time.", "one_step", field="level")
        if not note.strip():
            raise InputRefused("Say why it is lower: the next reader relies on it.", "required", field="note")
    return from_clinician_level(stated, before, origin)
