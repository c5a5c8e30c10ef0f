"""What a result says about itself: shares, gaps, reviews, kinds and its digest; no level is decided here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import codes
from .domains import Contribution, Grouped, age_days
from .policy import ENGINE_VERSION, Policy
from .types import FactorShare, Floor, Ground, Inputs, Kind, KindSignal, Level, floor_score, highest

_VOICE = ("dissonance", "emotion", "baseline")


def digest_of(inputs: Inputs) -> str:
    """A SHA-256 over everything that the result depends on, independent of the order of the evidence."""
    rows = sorted(
        "|".join(
            (
                item.code, item.domain, item.source_type, item.observed_at.isoformat(), str(item.source_id),
                item.tier, repr(item.value), repr(item.confidence), item.floor, item.status,
                str(item.session_id), str(item.local_day), str(item.refuted), str(item.received_at),
            )
        )
        for item in inputs.evidence
    )  # fmt: skip
    # Named only where there are any, so that everybody else's digests stay what they were.
    rests = [f"{rule} {state}" for rule, state in inputs.resting]
    facts = (inputs.lexicon_version, inputs.at.isoformat(), str(inputs.is_minor), str(inputs.raised_at))
    return hashlib.sha256("\n".join((ENGINE_VERSION, *facts, *rests, *rows)).encode()).hexdigest()


def factors(parts: Mapping[str, Contribution]) -> tuple[FactorShare, ...]:
    """The factors with their shares of the score, largest first."""
    total = sum(math.log1p(-part.value) for part in parts.values())
    shares = [
        FactorShare(
            code=part.code,
            domain=part.domain,
            contribution=round(part.value, 4),
            share=round(math.log1p(-part.value) / total, 4),
            source_type=part.item.source_type,
            source_id=part.item.source_id,
            observed_at=part.item.observed_at,
            confidence=part.item.confidence,
        )
        for part in parts.values()
    ]
    return tuple(sorted(shares, key=lambda factor: (-factor.share, factor.domain)))


def missing(grouped: Grouped, at: datetime, policy: Policy) -> tuple[str, ...]:
    """What should be known and isn't; it is listed, and never scored as safe."""

    def known(domain: str, days: float, among: Collection[str] = ()) -> bool:
        found = (item for item in grouped.get(domain, ()) if not among or item.code in among)
        return any(age_days(item, at) <= days for item in found)

    item9 = [item for item in grouped.get("phq", ()) if item.code in (codes.ITEM9, codes.ITEM9_MISSING)]
    newest = max(item9, key=lambda item: (item.observed_at, item.code), default=None)
    checks = (
        ("cssrs", known("cssrs", policy.cssrs_missing_days, codes.CSSRS_COMPLETE)),
        ("phq9", known("phq", policy.phq_missing_days)),
        ("item9", newest is None or newest.code == codes.ITEM9),
        ("voice", any(known(domain, policy.behaviour_days) for domain in _VOICE)),
        ("history", bool(grouped.get("history"))),
        ("protective", known("protective", policy.protective_days)),
    )
    return tuple(code for code, there in checks if not there)


def reviews(level: Level, standing_floors: tuple[Floor, ...]) -> tuple[str, ...]:
    """The review items that a result asks for beside any alert."""
    wanted = ["safeguarding"] if any(each.rule == "H10" for each in standing_floors) else []
    return (*wanted, "risk_review") if level is Level.MEDIUM else tuple(wanted)


@dataclass(frozen=True, slots=True)
class Basis:
    """What the score rests on: the level that it gives, its contributions, and those whose times are news."""

    level: Level
    parts: Mapping[str, Contribution]
    news: Mapping[str, Contribution]


def signals(
    soft: float, basis: Basis, standing_floors: tuple[Floor, ...], policy: Policy
) -> tuple[KindSignal, ...]:
    """How urgent each kind is; whatever the score says counts as self-harm, the default kind."""
    found = []
    for kind in Kind:
        mine = [each for each in standing_floors if kind in each.kinds]
        scored = kind is Kind.SELF_HARM
        grounds = [Ground(each.level, each.newest_at) for each in mine]
        if scored and basis.news:
            grounds.append(Ground(basis.level, max(part.newest_at for part in basis.news.values())))
        level = highest(ground.level for ground in grounds)
        if not mine and level is Level.LOW:
            continue
        score = max(soft if scored else 0.0, floor_score(level, policy))
        rules = tuple(dict.fromkeys(each.rule for each in mine))
        newest_at = max(ground.newest_at for ground in grounds)
        behind = {item for each in (*mine, *(basis.parts.values() if scored else ())) for item in each.items}
        items = tuple(sorted(behind, key=lambda item: (item.observed_at, repr(item)), reverse=True))
        found.append(KindSignal(kind, level, round(score, 2), rules, newest_at, tuple(grounds), items))
    return tuple(found)
