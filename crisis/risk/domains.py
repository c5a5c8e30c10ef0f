"""What each domain of evidence contributes to the score (domain 4.1); combining them is the engine's work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import codes
from .policy import Policy
from .types import EvidenceItem, Inputs, Level, Source, Status

DAY = timedelta(days=1)
_HUMAN_OR_INSTRUMENT = frozenset({Source.CLINICIAN, Source.INSTRUMENT})
_ANSWERED = frozenset({*codes.CSSRS_COMPLETE, codes.CSSRS_PARTIAL, codes.ITEM9})


@dataclass(frozen=True, slots=True)
class Contribution:
    """A domain's part (0 to <1), the item that says it best, the newest that says so, and all that do."""

    domain: str
    code: str
    value: float
    item: EvidenceItem
    newest_at: datetime
    items: tuple[EvidenceItem, ...]


Grouped = Mapping[str, Sequence[EvidenceItem]]


def group(evidence: Iterable[EvidenceItem]) -> dict[str, list[EvidenceItem]]:
    """The evidence that counts, by domain; refuted items are gone, absent ones stay to cancel older.

    What a correction of a measure took the place of is gone too (decision 54).
    """
    grouped: dict[str, list[EvidenceItem]] = {}
    for item in evidence:
        if not item.refuted:
            grouped.setdefault(item.domain, []).append(item)
    for domain in grouped.keys() & {"cssrs", "phq"}:
        grouped[domain] = _as_corrected(grouped[domain])
    return grouped


def _as_corrected(items: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    """Of a measure's administrations of one moment the one known last; known at once, the worse one.

    One that says nothing (declined, item 9 not answered) takes nobody's place.
    """
    last: dict[datetime, EvidenceItem] = {}
    for item in items:
        before = last.get(item.observed_at)
        if item.code in _ANSWERED and (before is None or _known_order(item) > _known_order(before)):
            last[item.observed_at] = item

    def stands(item: EvidenceItem) -> bool:
        answered = last.get(item.observed_at, item)
        return item is answered or (item.code not in _ANSWERED and item.known_at >= answered.known_at)

    return [item for item in items if stands(item)]


def _known_order(item: EvidenceItem) -> tuple[datetime, int, float, str, str, str, str]:
    rank = Level(item.floor or Level.LOW).rank
    return (
        item.known_at, rank, item.value or 0.0, item.tier, item.code, item.source_type, str(item.source_id)
    )  # fmt: skip


def age_days(item: EvidenceItem, at: datetime) -> float:
    """The age in days at `at`; never below 0, so a clock that runs ahead can't hide anything."""
    return max(0.0, (at - item.observed_at) / DAY)


def standing(items: Iterable[EvidenceItem]) -> list[EvidenceItem]:
    """The newest entry of each code that says present or absent, where it says present."""
    newest: dict[str, EvidenceItem] = {}
    for item in items:
        if item.status == Status.UNKNOWN:
            continue
        known = newest.get(item.code)
        if known is None or _order(item) > _order(known):
            newest[item.code] = item
    return [item for item in newest.values() if item.status == Status.PRESENT]


def contributions(grouped: Grouped, inputs: Inputs, policy: Policy) -> dict[str, Contribution]:
    """Each domain's contribution; domains that contribute nothing are left out."""
    found = {}
    for domain, measure in _MEASURES.items():
        items = grouped.get(domain)
        best = measure(items, inputs, policy) if items else None
        if best is not None and best.value > 0:
            found[domain] = best
    return found


def text_weight(item: EvidenceItem, at: datetime, policy: Policy) -> float:
    """How much one text item counts at `at`, by tier and age, or by the text model within its limit."""
    if not item.counts:
        return 0.0
    if item.code == codes.TEXT_MODEL:
        base = min(policy.model_max, max(0.0, item.value or 0.0))
    else:
        base = policy.tiers.get(item.tier, 0.0)
    age = age_days(item, at)
    if age * 24 <= policy.text_full_hours:
        return base
    return base * policy.text_half_weight if age <= policy.text_half_days else 0.0


def history_code(item: EvidenceItem, at: datetime, policy: Policy) -> str:
    """The code that an entry amounts to today: what was three months ago when noted gets older."""
    age = age_days(item, at)
    if item.code == "RF_ATTEMPT_3M" and age > policy.attempt_recent_days:
        return "RF_ATTEMPT_12M" if age <= policy.attempt_year_days else "RF_ATTEMPT_LIFETIME"
    if item.code == "RF_ATTEMPT_12M" and age > policy.attempt_year_days:
        return "RF_ATTEMPT_LIFETIME"
    if item.code == "RF_INPATIENT_30D" and age > policy.inpatient_days:
        return ""
    return item.code


def known_history(items: Iterable[EvidenceItem], at: datetime, policy: Policy) -> dict[str, EvidenceItem]:
    """History by the code that it amounts to today; only from clinicians and instruments."""
    trusted = [item for item in items if item.source_type in _HUMAN_OR_INSTRUMENT]
    return {history_code(item, at, policy): item for item in sorted(standing(trusted), key=_order)}


def session_contribution(items: Sequence[EvidenceItem], policy: Policy) -> float:
    """What one session's behaviour says on its own (noisy-OR of its dissonance, emotion and baseline)."""
    silence = 1.0
    for value in sorted(_session_parts(items, policy).values()):
        silence *= 1 - value
    return 1 - silence


def _session_parts(items: Sequence[EvidenceItem], policy: Policy) -> dict[str, float]:
    parts: dict[str, float] = {}
    moods = [item for item in items if item.domain == "emotion" and _usable_mood(item, policy)]
    weight = sum(item.confidence for item in moods)
    if weight:
        low = sum(item.confidence * policy.emotion_severity.get(item.code, 0.0) for item in moods)
        parts["emotion"] = _emotion_value(low / weight, policy)
    for item in items:
        if item.domain == "dissonance":
            parts["dissonance"] = max(parts.get("dissonance", 0.0), _dissonance_value(item, policy))
        elif item.domain == "baseline":
            parts["baseline"] = max(parts.get("baseline", 0.0), _baseline_value(item, policy))
    return parts


def _order(item: EvidenceItem) -> tuple[datetime, str, str, float, float, str]:
    """By time; what comes in at the same moment is ordered too, so that the order of inputs never matters."""
    return (
        item.observed_at,
        item.status,
        item.code,
        item.value or 0.0,
        item.confidence,
        str(item.source_id),
    )


def _best(
    domain: str, items: Iterable[EvidenceItem], weigh: Callable[[EvidenceItem], float]
) -> Contribution | None:
    """The largest of some items; of equals the newest, so that the order of inputs never matters."""
    weighed = [(weigh(item), item) for item in items]
    weighed = [(value, item) for value, item in weighed if value > 0]
    if not weighed:
        return None
    value, item = max(weighed, key=lambda pair: (pair[0], _order(pair[1])))
    others = tuple(other for _, other in weighed)
    return Contribution(domain, item.code, value, item, max(other.known_at for other in others), others)


def _text(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    return _best("text", items, lambda item: text_weight(item, inputs.at, policy))


def _dissonance_value(item: EvidenceItem, policy: Policy) -> float:
    size = min(1.0, item.value or 0.0)
    concealed = item.code in (codes.DISSONANCE, codes.DISSONANCE_MASKED)
    return policy.dissonance_weight * size if concealed and size >= policy.dissonance_min else 0.0


def _dissonance(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    latest = max(items, key=_order)
    fresh = age_days(latest, inputs.at) <= policy.behaviour_days
    return _best("dissonance", [latest] if fresh else [], lambda item: _dissonance_value(item, policy))


def _usable_mood(item: EvidenceItem, policy: Policy) -> bool:
    return item.counts and item.confidence >= policy.emotion_min_confidence


def _emotion_value(share: float, policy: Policy) -> float:
    return policy.emotion_weight * min(1.0, share / policy.emotion_full_share)


def _emotion(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    moods = [
        item
        for item in items
        if _usable_mood(item, policy) and age_days(item, inputs.at) <= policy.behaviour_days
    ]
    if len(moods) < policy.emotion_min_observations:
        return None
    weights = [
        2 ** (-age_days(item, inputs.at) / policy.emotion_half_life_days) * item.confidence for item in moods
    ]
    severities = [policy.emotion_severity.get(item.code, 0.0) for item in moods]
    low = sum(sorted(weight * severity for weight, severity in zip(weights, severities, strict=True)))
    heavy = [item for item, severity in zip(moods, severities, strict=True) if severity > 0]
    if not heavy:
        return None
    share = low / sum(sorted(weights))
    face = max(heavy, key=lambda item: (policy.emotion_severity[item.code], _order(item)))
    newest = max(item.known_at for item in heavy)
    return Contribution("emotion", face.code, _emotion_value(share, policy), face, newest, tuple(heavy))


def _phq(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    def weigh(item: EvidenceItem) -> float:
        fade = policy.phq_fade.at(age_days(item, inputs.at))
        if item.code == codes.ITEM9:
            return policy.item9.get(int(item.value or 0), 0.0) * fade
        if item.code == codes.PHQ_TOTAL:
            total = item.value or 0.0
            return next((weight for least, weight in policy.phq_totals if total >= least), 0.0) * fade
        return 0.0

    return _best("phq", items, weigh)


def _cssrs(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    def weigh(item: EvidenceItem) -> float:
        if item.code not in (*codes.CSSRS_COMPLETE, codes.CSSRS_PARTIAL):
            return 0.0
        return policy.cssrs.get(item.tier, 0.0) * policy.cssrs_fade.at(age_days(item, inputs.at))

    return _best("cssrs", items, weigh)


def _trajectory(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    latest = max(items, key=_order)
    fresh = age_days(latest, inputs.at) <= policy.behaviour_days
    return _best(
        "trajectory",
        [latest] if fresh else [],
        lambda item: policy.trajectory_weight.get(item.code, 0.0) * min(1.0, max(0.0, item.confidence)),
    )


def _baseline_value(item: EvidenceItem, policy: Policy) -> float:
    deviation = ((item.value or 0.0) - policy.baseline_start) / policy.baseline_span
    value = policy.baseline_weight * min(1.0, max(0.0, deviation))
    return value * policy.baseline_provisional if item.code == codes.BASELINE_PROVISIONAL else value


def _baseline(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    latest = max(items, key=_order)
    fresh = age_days(latest, inputs.at) <= policy.behaviour_days
    return _best("baseline", [latest] if fresh else [], lambda item: _baseline_value(item, policy))


def _history(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    known = known_history(items, inputs.at, policy)
    weights = {id(item): policy.history.get(code, 0.0) for code, item in known.items()}
    best = _best("history", known.values(), lambda item: weights[id(item)])
    if best is None:
        return None
    code = history_code(best.item, inputs.at, policy)
    return Contribution("history", code, best.value, best.item, best.newest_at, best.items)


def _stressors(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    acute = [item for item in standing(items) if age_days(item, inputs.at) <= policy.stressor_days]
    if not acute:
        return None
    value = min(policy.stressor_max, policy.stressor_each * len(acute))
    newest = max(acute, key=_order)
    return Contribution("stressors", newest.code, value, newest, newest.known_at, tuple(acute))


def _disengagement(items: Sequence[EvidenceItem], inputs: Inputs, policy: Policy) -> Contribution | None:
    raised = inputs.raised_at
    if raised is None or (inputs.at - raised) / DAY > policy.disengaged_days:
        return None
    return _best("disengagement", standing(items), lambda item: policy.disengaged)


_MEASURES: dict[str, Callable[[Sequence[EvidenceItem], Inputs, Policy], Contribution | None]] = {
    "text": _text,
    "dissonance": _dissonance,
    "emotion": _emotion,
    "phq": _phq,
    "cssrs": _cssrs,
    "trajectory": _trajectory,
    "baseline": _baseline,
    "history": _history,
    "stressors": _stressors,
    "disengagement": _disengagement,
}
