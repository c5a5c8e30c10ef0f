"""The figures of a calibration report: tallies, shares with their intervals, what is withheld; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt

# Domain 4.7: a share of fewer than this many verdicts, or a group of fewer people, is not shown.
LEAST = 10
# The budget is about a week: what fewer days say of a day is chance.
LEAST_DAYS = 7
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with the 95 % interval of Wilson's score; all three shares are 0 to 1."""

    hits: int
    of: int
    value: float
    low: float
    high: float


def wilson(hits: int, of: int) -> Share | None:
    """Return a share with its 95 % interval; None where there is nothing to take a share of."""
    if of <= 0:
        return None
    value, square = hits / of, Z95 * Z95
    middle = (value + square / (2 * of)) / (1 + square / of)
    half = Z95 * sqrt(value * (1 - value) / of + square / (4 * of * of)) / (1 + square / of)
    # At the ends the formula gives 0 and 1 but for the last bit of a float.
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == of else min(1.0, middle + half)
    return Share(hits, of, value, low, high)


def shown(hits: int, of: int) -> Share | None:
    """Return a share that rests on enough verdicts to be shown; None for fewer than LEAST."""
    return wilson(hits, of) if of >= LEAST else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Alerts of one row and what they turned out to be; times in seconds from the raise.

    `crisis`, `distress` and `false` judge what was seen; `aside` (already known, a duplicate, not sure) says
    nothing about that and stands in no denominator but the one of verdicts.
    """

    alerts: int = 0
    people: int = 0
    person_days: int = 0
    crisis: int = 0
    distress: int = 0
    false: int = 0
    aside: int = 0
    open: int = 0
    unclaimed: int = 0
    claim_median: float | None = None
    claim_p90: float | None = None
    contact_median: float | None = None
    brier: float | None = None

    @property
    def judged(self) -> int:
        """How many verdicts say whether it was right: the denominator of the predictive value."""
        return self.crisis + self.distress + self.false

    @property
    def verdicts(self) -> int:
        """How many alerts have a verdict."""
        return self.judged + self.aside

    @property
    def predictive_value(self) -> Share | None:
        """The share of judged alerts that were a crisis; None for fewer than LEAST of them."""
        return shown(self.crisis, self.judged)

    @property
    def without_verdict(self) -> Share | None:
        """The share of alerts, open ones among them, that have no verdict."""
        return wilson(self.alerts - self.verdicts, self.alerts)

    @property
    def agreement(self) -> float | None:
        """The mean squared distance of score and verdict: agreement with reviewers, not outcome."""
        return self.brier if self.judged >= LEAST else None


@dataclass(frozen=True, slots=True)
class Override:
    """How often a clinician who looked at a level lowered it, raised it, or left it to the signals."""

    lowered: int = 0
    raised: int = 0
    same: int = 0


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its key (two parts, the second may be empty), its tally and its overrides."""

    key: Key
    tally: Tally
    override: Override = Override()


@dataclass(frozen=True, slots=True)
class Missed:
    """Alerts that staff or the person raised, by what the engine had said in the 72 hours before.

    `before` is a level, or empty where it had said nothing.
    """

    source: str
    before: str
    alerts: int
    crisis: int
    judged: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a rule or version said in shadow (by code), and what became of alerts on the same messages."""

    code: str
    version: str
    readings: int
    people: int
    beside: Tally


@dataclass(frozen=True, slots=True)
class SecondReadings:
    """Questions to second readers about alerts of the period, by what was asked."""

    kind: str
    asked: int
    agreed: int
    refused: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Report:
    """One organization's report over one period; every table is made of the alerts raised in it.

    `days` are those of the period on which the organization was there at all.
    """

    organization: str
    since: datetime
    until: datetime
    days: float
    active_people: int
    everything: Tally = field(default_factory=Tally)
    levels: Sequence[Row] = ()
    rules: Sequence[Row] = ()
    tiers: Sequence[Row] = ()
    versions: Sequence[Row] = ()
    bins: Sequence[Row] = ()
    languages: Sequence[Row] = ()
    ages: Sequence[Row] = ()
    overrides: Sequence[tuple[str, Override]] = ()
    missed: Sequence[Missed] = ()
    shadows: Sequence[Shadow] = ()
    readings: Sequence[SecondReadings] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report: no alert, no look by a clinician, no shadow."""
        return not (self.everything.alerts or self.overrides or self.shadows)

    def of_level(self, level: str, source: str = "engine") -> Tally:
        """The tally of the alerts of one level that one source raised."""
        return next((row.tally for row in self.levels if row.key == (level, source)), Tally())

    @property
    def seen_first(self) -> Share | None:
        """Of the alerts that were a crisis, the share that the engine raised; None for fewer than LEAST."""
        crises = sum(row.tally.crisis for row in self.levels)
        mine = sum(row.tally.crisis for row in self.levels if row.key[1] == "engine")
        return shown(mine, crises)


@dataclass(frozen=True, slots=True)
class Budget:
    """One line of the false-alarm budget (domain 4.7): monitored, and never enforced by holding back."""

    name: str
    target: float
    at_least: bool
    found: Share | None

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where too little is known to say."""
        if self.found is None:
            return None
        return self.found.value >= self.target if self.at_least else self.found.value <= self.target


def budget(report: Report) -> list[Budget]:
    """Return the budget's lines; a person counts once a day and level, against people active now."""
    critical, high = report.of_level("critical"), report.of_level("high")
    return [
        Budget("critical_predictive_value", 0.50, True, critical.predictive_value),
        Budget("high_predictive_value", 0.30, True, high.predictive_value),
        Budget("critical_people_per_day", 0.003, False, _per_day(report, critical)),
        Budget("high_people_per_day", 0.02, False, _per_day(report, high)),
        Budget("crises_raised_by_engine", 0.90, True, report.seen_first),
    ]


def _per_day(report: Report, tally: Tally) -> Share | None:
    person_days = round(report.active_people * report.days)
    enough = report.active_people >= LEAST and report.days >= LEAST_DAYS
    return wilson(min(tally.person_days, person_days), person_days) if enough else None


def withheld(rows: Iterable[Row]) -> set[Key]:
    """Return which groups have too few people to be shown.

    Were only one withheld, the total less the others would show it: then the next smallest goes with it.
    """
    ordered = sorted(rows, key=lambda row: (row.tally.people, row.key))
    few = [row.key for row in ordered if row.tally.people < LEAST]
    if len(few) == 1:
        few = [row.key for row in ordered[:2]]
    return set(few)
