"""Scores and change of one administration (domain 2.1); pure computation over answers by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import floor

from clinical.assessments.definitions import Definition
from crisis.risk.measures import Screener, is_complete, triage_of

VERSION = "1"
TRIAGE_RANK = {"none": 0, "low": 1, "moderate": 2, "high": 3}
Answers = Mapping[str, int | None]
# Whose own cut-off was validated, in years (domain 2).
ADOLESCENT = range(10, 20)


@dataclass(frozen=True, slots=True)
class Score:
    """What answers amount to: no total and no band where too many are missing.

    `flags` are codes: item9_missing, item9_endorsed, declined, incomplete, above_cutoff.
    """

    total: int | None
    band: str
    is_valid: bool
    prorated: bool
    flags: tuple[str, ...] = ()


def score(definition: Definition, answers: Answers, *, adolescent: bool = False) -> Score:
    """Score answers (0 up, None is missing; only the definition's keys); ValueError for any other value."""
    check(definition, answers)
    if definition.scoring == "cssrs":
        return _score_screener(answers)
    values = [answers.get(item.key) for item in definition.counted]
    given = [value for value in values if value is not None]
    flags = _item9_flags(definition, answers)
    missing = len(values) - len(given)
    if missing > definition.missing_allowed:
        return Score(None, "", False, False, (*flags, "incomplete"))
    total = sum(given)
    if missing:
        total = floor(total * len(values) / len(given) + 0.5)
    total *= definition.multiplier
    band = definition.band_of(total)
    if is_case(definition, total, adolescent=adolescent):
        flags = (*flags, "above_cutoff")
    return Score(total, band.code if band else "", True, bool(missing), flags)


def check(definition: Definition, answers: Answers) -> None:
    """Raise ValueError for a key or a value that the instrument doesn't have."""
    allowed = {answer.value for answer in definition.answers}
    keys = {item.key for item in definition.items}
    for key, value in answers.items():
        if key not in keys:
            raise ValueError(f"{definition.title} has no item {key}")
        if value is not None and (isinstance(value, bool) or value not in allowed):
            raise ValueError(f"{key} is answered with {', '.join(map(str, sorted(allowed)))}")


def cutoff_of(definition: Definition, *, adolescent: bool) -> int | None:
    """Return the total from which on somebody is a case; None where the field knows no such total."""
    return definition.cutoff_adolescent if adolescent and definition.cutoff_adolescent else definition.cutoff


def is_adolescent(born: date | None, is_minor: bool, on: date) -> bool:
    """Whether the cut-off of the young holds on a day; `is_minor` says it of somebody without a birthday."""
    if born is None:
        return is_minor
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) in ADOLESCENT


def is_case(definition: Definition, total: int, *, adolescent: bool = False) -> bool:
    """Whether a total is on the far side of the cut-off; adolescents may have one of their own."""
    cutoff = cutoff_of(definition, adolescent=adolescent)
    if cutoff is None:
        return False
    return total <= cutoff if definition.higher_is_better else total >= cutoff


def _item9_flags(definition: Definition, answers: Answers) -> tuple[str, ...]:
    if definition.key != "phq9":
        return ()
    value = answers.get("q9")
    if value is None:
        return ("item9_missing",)
    return ("item9_endorsed",) if value >= 1 else ()


def screener_of(answers: Answers) -> Screener:
    """Return the answers of a C-SSRS screener as the engine reads them."""
    found = {key: None if value is None else bool(value) for key, value in answers.items()}
    return Screener(**found)


def _score_screener(answers: Answers) -> Score:
    screener = screener_of(answers)
    triage, complete = triage_of(screener).triage, is_complete(screener)
    if triage == "declined":
        return Score(None, "", False, False, ("declined",))
    return Score(TRIAGE_RANK[triage], triage, complete, False, () if complete else ("incomplete",))


def syndrome(answers: Answers) -> str:
    """Return what the PHQ-9's algorithm shows: major, other or none; for display, never a diagnosis."""
    counts = {
        key: (answers.get(key) or 0) >= (1 if key == "q9" else 2) for key in (f"q{n}" for n in range(1, 10))
    }
    if not (counts["q1"] or counts["q2"]):
        return "none"
    count = sum(counts.values())
    return "major" if count >= 5 else "other" if count >= 2 else "none"


@dataclass(frozen=True, slots=True)
class Change:
    """From one valid total to a later one of the same instrument and version.

    `points` is later minus earlier; `significant` and `reliable` are improved, worse or no; `response` is
    full, partial or no; `overlaps` means that the recall windows overlap.
    """

    points: int
    share: float
    significant: str
    reliable: str
    response: str
    remission: bool
    recovered: bool
    is_deterioration: bool
    overlaps: bool


def change(definition: Definition, before: int, after: int, days_apart: float | None = None) -> Change:
    """Compare two totals by the instrument's rules; `days_apart` None: not told, so windows don't overlap."""
    rules = definition.change
    points = after - before
    gain = points if definition.higher_is_better else -points
    share = gain / before if before else 0.0
    counted = rules.response_from is not None and before >= rules.response_from
    response = "full" if counted and share >= 0.5 else "partial" if counted and share >= 0.25 else "no"
    remission = rules.remission_below is not None and after < rules.remission_below
    recovered = (
        rules.recovered_from is not None
        and rules.recovered_to is not None
        and before >= rules.recovered_from
        and after <= rules.recovered_to
    )
    return Change(
        points=points,
        share=share,
        significant=_says(gain, rules.significant),
        reliable=_says(gain, rules.reliable),
        response=response,
        remission=remission,
        recovered=recovered,
        is_deterioration=rules.worse is not None and -gain >= rules.worse,
        overlaps=days_apart is not None and days_apart < definition.apart_days,
    )


def _says(gain: int, threshold: int | None) -> str:
    if threshold is None or abs(gain) < threshold:
        return "no"
    return "improved" if gain > 0 else "worse"


def days_between(earlier: datetime, later: datetime) -> float:
    """Return the days between two moments."""
    return (later - earlier).total_seconds() / 86400
