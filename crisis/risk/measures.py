"""The floors that item 9 and the C-SSRS screener demand (domain 1.5, 2.1); nothing is scored here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .types import Level


@dataclass(frozen=True, slots=True)
class Screener:
    """The answers of a C-SSRS screener; None is a question that wasn't answered or wasn't asked."""

    q1: bool | None = None
    q2: bool | None = None
    q3: bool | None = None
    q4: bool | None = None
    q5: bool | None = None
    q6_lifetime: bool | None = None
    q6_3m: bool | None = None


@dataclass(frozen=True, slots=True)
class Triage:
    """The triage of a screener and the floor that the engine takes from it; declined has none."""

    triage: str
    floor: Level


@dataclass(frozen=True, slots=True)
class Item9:
    """Item 9 of a PHQ-9; a missing answer is never a 0: it asks for a direct question the same day."""

    value: int | None
    missing: bool
    floor: Level


_ITEM9_FLOORS = {1: Level.MEDIUM, 2: Level.HIGH, 3: Level.HIGH}


def item9_of(answers: Sequence[int | None] | Mapping[str, int | None]) -> Item9:
    """Read item 9 (0-3) from nine answers in order, or by key q1..q9; ValueError outside 0-3."""
    value = answers.get("q9") if isinstance(answers, Mapping) else answers[8] if len(answers) > 8 else None
    if value is None:
        return Item9(None, True, Level.LOW)
    if value not in (0, 1, 2, 3):
        raise ValueError("item 9 is answered with 0, 1, 2 or 3")
    return Item9(value, False, _ITEM9_FLOORS.get(value, Level.LOW))


def triage_of(answers: Screener) -> Triage:
    """Triage a screener by domain 2.1 rule 4; any yes counts, unfinished without one is declined."""
    behaviour_recent = bool(answers.q6_3m)
    behaviour = behaviour_recent or bool(answers.q6_lifetime)
    ideation = any((answers.q1, answers.q2, answers.q3, answers.q4, answers.q5))
    if answers.q4 or answers.q5 or (behaviour_recent and ideation):
        return Triage("high", Level.CRITICAL)
    if behaviour_recent:
        return Triage("high", Level.HIGH)
    if answers.q3:
        return Triage("moderate", Level.HIGH)
    if behaviour:
        return Triage("moderate", Level.MEDIUM)
    if answers.q1 or answers.q2:
        return Triage("low", Level.MEDIUM)
    return Triage("none" if is_complete(answers) else "declined", Level.LOW)


def is_complete(answers: Screener) -> bool:
    """Whether all that the flow asks was answered: Q1, Q2, Q6, and Q3-Q5 after a yes to Q2."""
    behaviour = answers.q6_3m if answers.q6_lifetime is None else answers.q6_lifetime
    asked = [answers.q1, answers.q2, behaviour]
    if answers.q2:
        asked += [answers.q3, answers.q4, answers.q5]
    return all(answer is not None for answer in asked)
