"""The risk engine: one pure function from coded evidence to a level with its reasons (domain 4.1-4.4).

It orders human attention. It predicts nothing, closes nothing, and a low result is never a reason to do less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from . import codes
from .domains import Contribution, Grouped, age_days, contributions, group, session_contribution, standing
from .explain import Basis, digest_of, factors, missing, reviews, signals
from .policy import ENGINE_VERSION, POLICY, Policy
from .rules import floors, is_danger, ledger_of
from .switches import parted
from .types import EvidenceItem, Floor, Inputs, Kind, Level, Result, floor_score, highest, level_of

__all__ = ["ENGINE_VERSION", "assess", "digest_of"]


def assess(inputs: Inputs, policy: Policy = POLICY) -> Result:
    """Decide the level of one person at `inputs.at`; the order of the evidence never matters."""
    grouped = group(inputs.evidence)
    parts = contributions(grouped, inputs, policy)
    standing_floors, shadow_floors = parted(floors(ledger_of(grouped, inputs, policy)), inputs.resting)
    result = _decided(parts, standing_floors, grouped, inputs, policy)
    return replace(result, resting=inputs.resting, shadow_floors=shadow_floors) if inputs.resting else result


def _decided(
    parts: Mapping[str, Contribution],
    standing_floors: tuple[Floor, ...],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> Result:
    clinician = _clinician_level(grouped)
    if clinician is None:
        return _result(parts, standing_floors, grouped, inputs, policy)
    if _lowers(clinician, parts, standing_floors, grouped, inputs, policy):
        result = _stepped_down(clinician, parts, grouped, inputs, policy)
    else:
        result = _result(parts, _with_clinician(clinician, standing_floors), grouped, inputs, policy)
    is_lower = _may_lower(clinician, grouped, inputs.at, policy)
    lowered = (Level(clinician.floor), clinician.observed_at) if is_lower else None
    return replace(result, lowered=lowered)


def live_floors(inputs: Inputs, policy: Policy = POLICY) -> tuple[Floor, ...]:
    """Return the floors of the rules that are live, whatever level a clinician set; highest first."""
    return parted(floors(ledger_of(group(inputs.evidence), inputs, policy)), inputs.resting)[0]


def combine(values: Sequence[float]) -> float:
    """Noisy-OR of contributions (0 to <1)."""
    silence = 1.0
    for value in sorted(values):
        silence *= 1 - value
    return 1 - silence


def _result(
    parts: Mapping[str, Contribution],
    standing_floors: tuple[Floor, ...],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> Result:
    floor = highest(each.level for each in standing_floors)
    raw = combine([part.value for part in parts.values()])
    protective = _protection(floor, grouped, inputs.at, policy)
    soft, caps = _capped(raw, protective, parts, grouped, inputs, policy)
    score = round(max(soft, floor_score(floor, policy)), 2)
    level = level_of(score, policy)
    by_score = level_of(round(soft, 2), policy)
    silent, quiet = _without_model(protective, parts, grouped, inputs, policy)
    # A reading beside what reaches the level without it is no news of that level.
    news = silent if level_of(round(quiet, 2), policy).rank >= by_score.rank else parts
    return Result(
        score=score,
        level=level,
        level_source=_source(by_score, standing_floors),
        score_raw=round(raw, 4),
        protective_applied=round(protective, 4),
        caps=caps,
        rules_fired=tuple(dict.fromkeys(each.rule for each in standing_floors)),
        factors=factors(parts),
        missing_inputs=missing(grouped, inputs.at, policy),
        engine_version=ENGINE_VERSION,
        lexicon_version=inputs.lexicon_version,
        computed_at=inputs.at,
        inputs_digest=digest_of(inputs),
        floors=standing_floors,
        reviews=reviews(level, standing_floors),
        signals=signals(round(soft, 2), Basis(by_score, parts, news), standing_floors, policy),
        score_without_model=round(max(quiet, floor_score(floor, policy)), 2),
    )


def _source(by_score: Level, standing_floors: tuple[Floor, ...]) -> str:
    if not standing_floors or standing_floors[0].level.rank < by_score.rank:
        return "score"
    top = [each.rule for each in standing_floors if each.level is standing_floors[0].level]
    return "clinician" if top == ["H4"] else "floor"


def _protection(floor: Level, grouped: Grouped, at: datetime, policy: Policy) -> float:
    if floor.raises_alert:
        return 0.0
    present = [
        item
        for item in standing(grouped.get("protective", ()))
        if item.source_type == "clinician" and age_days(item, at) <= policy.protective_days
    ]
    return min(policy.protective_max, sum(sorted(policy.protective.get(item.code, 0.0) for item in present)))


def _capped(
    raw: float,
    protective: float,
    parts: Mapping[str, Contribution],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> tuple[float, tuple[str, ...]]:
    """The score after the caps of 4.1 and 4.2, and the names of the caps that took hold."""
    soft = raw * (1 - protective)
    caps: tuple[str, ...] = ()
    if parts and codes.BEHAVIOURAL.issuperset(parts):
        sustained = _is_sustained(grouped, inputs.at, policy)
        limit = policy.cap_behaviour_sustained if sustained else policy.cap_behaviour
        if soft > limit:
            soft, caps = limit, ("behaviour_sustained" if sustained else "behaviour_only",)
    elif soft > policy.cap_indirect and not _is_direct(parts):
        soft, caps = policy.cap_indirect, ("no_direct_evidence",)
    if soft > policy.cap_model and _rests_on_model(parts, policy):
        limit = max(policy.cap_model, _without_model(protective, parts, grouped, inputs, policy)[1])
        if soft > limit:
            soft, caps = limit, (*caps, "text_model_alone")
    return soft, caps


def _is_direct(parts: Mapping[str, Contribution]) -> bool:
    """Tier A or B, item 9 of 2 or more, C-SSRS moderate or high, or an attempt within three months.

    Only what still weighs at its age counts: an answer of long ago speaks of no danger now.
    """

    def said(domain: str) -> tuple[EvidenceItem, ...]:
        return parts[domain].items if domain in parts else ()

    return (
        any(item.tier in ("A", "B") for item in said("text"))
        or any(item.code == codes.ITEM9 and (item.value or 0) >= 2 for item in said("phq"))
        or any(item.tier in ("moderate", "high") for item in said("cssrs"))
        or ("history" in parts and parts["history"].code == "RF_ATTEMPT_3M")
    )


def _rests_on_model(parts: Mapping[str, Contribution], policy: Policy) -> bool:
    text = parts.get("text")
    if text is None or text.code != codes.TEXT_MODEL:
        return False
    return all(part.value < policy.model_needs_other for domain, part in parts.items() if domain != "text")


def _without_model(
    protective: float,
    parts: Mapping[str, Contribution],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> tuple[Mapping[str, Contribution], float]:
    """The contributions and the score that the same evidence gives when the text model says nothing."""
    text = parts.get("text")
    if text is not None and any(item.code == codes.TEXT_MODEL for item in text.items):
        words = [item for item in grouped["text"] if item.code != codes.TEXT_MODEL]
        grouped = {**grouped, "text": words}
        parts = contributions(grouped, inputs, policy)
    raw = combine([part.value for part in parts.values()])
    return parts, _capped(raw, protective, parts, grouped, inputs, policy)[0]


def _is_sustained(grouped: Grouped, at: datetime, policy: Policy) -> bool:
    sessions: dict[object, list[EvidenceItem]] = {}
    for domain in ("dissonance", "emotion", "baseline"):
        for item in grouped.get(domain, ()):
            if item.counts and age_days(item, at) <= policy.behaviour_days:
                sessions.setdefault(item.session_id or item.source_id, []).append(item)
    strong = [
        items
        for items in sessions.values()
        if session_contribution(items, policy) >= policy.sustained_contribution
    ]
    days = {item.local_day or item.observed_at.date() for items in strong for item in items}
    return len(strong) >= policy.sustained_sessions and len(days) >= policy.sustained_days


def _clinician_level(grouped: Grouped) -> EvidenceItem | None:
    """The level that a clinician set last; of two set at one moment, whatever keeps more people safe."""
    reviewed = grouped.get("review", ())
    entries = [item for item in reviewed if item.code == codes.CLINICIAN_LEVEL and item.floor]
    return max(
        entries,
        key=lambda item: (item.observed_at, item.tier != codes.LOWER, Level(item.floor).rank),
        default=None,
    )


def _lowers(
    clinician: EvidenceItem,
    parts: Mapping[str, Contribution],
    standing_floors: tuple[Floor, ...],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> bool:
    """Whether a clinician's lower level holds: at most 7 days, and only over evidence that it could know."""
    if not _may_lower(clinician, grouped, inputs.at, policy):
        return False
    against = _against(parts, standing_floors, grouped, inputs, policy)
    newest = [part.newest_at for part in against.values()] + [each.newest_at for each in standing_floors]
    if any(moment > clinician.observed_at for moment in newest):
        return False
    soft = combine([part.value for part in against.values()])
    reached = highest([level_of(round(soft, 2), policy), *(each.level for each in standing_floors)])
    return Level(clinician.floor).rank < reached.rank


def _may_lower(clinician: EvidenceItem, grouped: Grouped, at: datetime, policy: Policy) -> bool:
    """Whether a clinician's level was a lower one, not longer ago than it may hold, and danger isn't newer.

    Danger that came since ends it for good, also once its alert was resolved and it sets no floor any more.
    """
    said_at = clinician.observed_at
    if clinician.tier != codes.LOWER or at - said_at > timedelta(days=policy.clinician_lower_days):
        return False
    items = (item for domain in grouped.values() for item in domain)
    return not any(item.known_at > said_at and is_danger(item, policy) for item in items)


def _against(
    parts: Mapping[str, Contribution],
    standing_floors: tuple[Floor, ...],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> Mapping[str, Contribution]:
    """What a clinician's lower level is held against: the text model only where it adds a level."""
    floor = highest(each.level for each in standing_floors)
    protective = _protection(floor, grouped, inputs.at, policy)
    raw = combine([part.value for part in parts.values()])
    soft, _ = _capped(raw, protective, parts, grouped, inputs, policy)
    silent, quiet = _without_model(protective, parts, grouped, inputs, policy)
    reached, known = (highest((floor, level_of(round(one, 2), policy))) for one in (soft, quiet))
    return silent if known.rank >= reached.rank else parts


def _with_clinician(clinician: EvidenceItem, standing_floors: tuple[Floor, ...]) -> tuple[Floor, ...]:
    """A level that a clinician raised stays until a human changes it; one that they lowered is no floor."""
    level = Level(clinician.floor)
    if clinician.tier == codes.LOWER or level.rank <= highest(each.level for each in standing_floors).rank:
        return standing_floors
    return (Floor("H4", level, (Kind.SELF_HARM,), clinician.observed_at, (clinician,)), *standing_floors)


def _stepped_down(
    clinician: EvidenceItem,
    parts: Mapping[str, Contribution],
    grouped: Grouped,
    inputs: Inputs,
    policy: Policy,
) -> Result:
    """The result while a clinician's lower level holds: their level, the score beside it unhidden."""
    level = Level(clinician.floor)
    plain = _result(parts, (), grouped, inputs, policy)
    limited = tuple(
        replace(each, level=min(each.level, level, key=lambda one: one.rank)) for each in plain.signals
    )
    return replace(
        plain,
        level=level,
        level_source="clinician",
        rules_fired=("H4",),
        signals=limited,
        reviews=reviews(level, ()),
    )
