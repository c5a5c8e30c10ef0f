"""Renders a result in words from its codes (domain 4.4): 500 characters at most, no word of the person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from .labels import ACTIONS, FACTORS, LEVELS, MISSING, label
from .reasons import reason_code, sentence
from .types import Level

MAX_LENGTH = 500
_LARGEST = 3
_MINUTE = timedelta(minutes=1)


class Factor(Protocol):
    """What is needed of a factor; a FactorShare or a stored one."""

    @property
    def code(self) -> str:
        """The factor's code."""
        ...

    @property
    def share(self) -> float:
        """Its share of the score."""
        ...

    @property
    def observed_at(self) -> datetime:
        """When it was observed."""
        ...


_WORDS = {
    "en": {"also": "Signals", "missing": "Missing", "do": "Suggested", "and": "and"},
    "sw": {"also": "Dalili", "missing": "Kinakosekana", "do": "Pendekezo", "and": "na"},
}
_BY_SOURCE = {"held": "HELD", "clinician": "H4"}


def interpret(
    *,
    level: Level | str,
    level_source: str,
    rules: Iterable[str],
    factors: Sequence[Factor],
    missing: Sequence[str],
    at: datetime,
    locale: str = "en",
) -> str:
    """Say why a level stands: its reason, at most three factors with ages, what is missing, what may help.

    Rendered from codes when read, never stored. Contains no probability and nothing that the person said.
    """
    locale = locale if locale in _WORDS else "en"
    level = Level(level)
    words = _WORDS[locale]
    largest = sorted(factors, key=lambda factor: -factor.share)[:_LARGEST]
    named = [f"{label(FACTORS, one.code, locale)} ({age(one.observed_at, at, locale)})" for one in largest]
    gaps = [label(MISSING, code, locale) for code in missing]
    parts = [_reason(level, level_source, rules, locale)]
    if named:
        parts.append(f"{words['also']}: {_list(named, words['and'])}.")
    if gaps:
        parts.append(f"{words['missing']}: {', '.join(gaps)}.")
    parts.append(f"{words['do']}: {label(ACTIONS, level, locale)}.")
    return _fit(parts)


def age(moment: datetime, at: datetime, locale: str = "en") -> str:
    """How long ago, in words: "now", "20 min ago", "5 h ago", "3 d ago"."""
    passed = max(timedelta(0), at - moment)
    if passed < _MINUTE:
        return "sasa hivi" if locale == "sw" else "now"
    if passed < timedelta(hours=1):
        amount, unit = int(passed / _MINUTE), ("min", "dakika")
    elif passed < timedelta(days=1):
        amount, unit = int(passed / timedelta(hours=1)), ("h", "saa")
    else:
        amount, unit = passed.days, ("d", "siku")
    return f"{unit[1]} {amount} zilizopita" if locale == "sw" else f"{amount} {unit[0]} ago"


def _reason(level: Level, level_source: str, rules: Iterable[str], locale: str) -> str:
    name = LEVELS[locale][level]
    if level is Level.LOW:
        return f"{name}."
    if level_source in _BY_SOURCE:
        return f"{name}: {_lower(sentence(_BY_SOURCE[level_source], locale))}."
    return f"{name}: {_lower(sentence(reason_code(rules, level), locale))}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _list(items: Sequence[str], joint: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {joint} {items[-1]}"


def _fit(parts: list[str]) -> str:
    """Drop what is missing first, then the factors, so that reason and action always stay."""
    while len(" ".join(parts)) > MAX_LENGTH and len(parts) > 2:
        parts = [*parts[:-2], parts[-1]]
    return " ".join(parts)[:MAX_LENGTH]
