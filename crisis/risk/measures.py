"""The triage of a C-SSRS screener and the floor that it demands (domain 2.1); nothing is scored here."""

from __future__ import annotations

from dataclasses import dataclass

from .types import Level


@dataclass(frozen=True, slots=True)
class Screener:
    """The answers of a C-SSRS screener; None is a question that wasn't answered or wasn't asked.

    The first form asks `q6_lifetime` and `q6_3m`, the one since the last contact `q6_since` in their place.
    """

    q1: bool | None = None
    q2: bool | None = None
    q3: bool | None = None
    q4: bool | None = None
    q5: bool | None = None
    q6_lifetime: bool | None = None
    q6_3m: bool | None = None
    q6_since: bool | None = None

    @property
    def behaviour(self) -> float:
        """What they tell of behaviour: 1 within three months or since the last contact, .5 before, 0 none."""
        return 1.0 if self.q6_3m or self.q6_since else 0.5 if self.q6_lifetime else 0.0


@dataclass(frozen=True, slots=True)
class Triage:
    """The triage of a screener and the floor that the engine takes from it; declined has none."""

    triage: str
    floor: Level


def triage_of(answers: Screener) -> Triage:
    """Triage a screener by domain 2.1 rule 4; any yes counts, unfinished without one is declined."""
    behaviour = answers.behaviour
    behaviour_recent = behaviour == 1.0
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
    """Whether all that the flow asks was answered: Q1, Q2, Q6, and what a yes to Q2 or Q6 asks besides."""
    said = (answers.q6_since, answers.q6_3m, answers.q6_lifetime)
    asked = [answers.q1, answers.q2, next((one for one in said if one is not None), None)]
    if answers.q2:
        asked += [answers.q3, answers.q4, answers.q5]
    if answers.q6_lifetime:
        asked.append(answers.q6_3m)
    return all(answer is not None for answer in asked)
