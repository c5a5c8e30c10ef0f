"""Measures a classifier: AUROC, precision, recall, specificity with bootstrap intervals; pure, no texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from math import isnan, sqrt

import numpy as np
import numpy.typing as npt

from .engine import assess
from .evidence import Origin, from_screening, from_text_model
from .linear import Floats
from .screening import Screening
from .textmodel import ModelReading
from .types import Inputs, Level

Marks = npt.NDArray[np.bool_]
RESAMPLES = 1000
PRECISION = 0.55
DAY_MESSAGES = 30
_NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value (0 to 1) with its 95 % interval; nan where nothing could be measured."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if isnan(self.value):
            return "not known: too few rows of a kind"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def as_json(self) -> list[float]:
        """Value, low and high with four decimals."""
        return [round(self.value, 4), round(self.low, 4), round(self.high, 4)]


def auroc(labels: Marks, scores: Floats) -> float:
    """The chance that a positive stands above a negative, ties counted half; nan without one of either."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def precision(labels: Marks, flagged: Marks) -> float:
    """The share of flagged rows that are positive."""
    return _share(labels[flagged])


def recall(labels: Marks, flagged: Marks) -> float:
    """The share of positive rows that are flagged."""
    return _share(flagged[labels])


def specificity(labels: Marks, flagged: Marks) -> float:
    """The share of negative rows that are not flagged."""
    return _share(~flagged[~labels])


def _share(marks: Marks) -> float:
    return float(marks.mean()) if len(marks) else float("nan")


def measured(
    labels: Marks, scores: Floats, point: float, groups: Sequence[str], seed: int
) -> dict[str, Figure]:
    """AUROC, what holds from `point` up, and recall where PRECISION is, with intervals over whole groups."""
    flagged = scores >= point
    known: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {
        "auroc": lambda rows: auroc(labels[rows], scores[rows]),
        "precision": lambda rows: precision(labels[rows], flagged[rows]),
        "recall": lambda rows: recall(labels[rows], flagged[rows]),
        "specificity": lambda rows: specificity(labels[rows], flagged[rows]),
        f"recall_at_precision_{PRECISION}": lambda rows: recall_at_precision(
            labels[rows], scores[rows], PRECISION
        ),
    }
    drawn = list(_resamples(groups, seed))
    everything = np.arange(len(labels))
    return {
        name: _figure(measure(everything), [measure(rows) for rows in drawn])
        for name, measure in known.items()
    }


def _resamples(groups: Sequence[str], seed: int) -> list[npt.NDArray[np.int64]]:
    """Rows of groups drawn with replacement: one author's posts come or stay together."""
    order = np.argsort(np.array(groups), kind="stable")
    _, starts = np.unique(np.array(groups)[order], return_index=True)
    members = np.split(order, starts[1:])
    random = np.random.default_rng(seed)
    return [
        np.concatenate([members[one] for one in random.integers(0, len(members), len(members))])
        for _ in range(RESAMPLES)
    ]


def _figure(value: float, drawn: list[float]) -> Figure:
    usable = [one for one in drawn if one == one]
    if not usable:
        return Figure(value, float("nan"), float("nan"))
    low, high = np.quantile(usable, [0.025, 0.975]).tolist()
    return Figure(value, low, high)


def share_flagged(scores: Floats, point: float) -> Figure:
    """The share from `point` up, with Wilson's interval."""
    count, hits = len(scores), int((scores >= point).sum())
    if not count:
        return Figure(float("nan"), float("nan"), float("nan"))
    share, z = hits / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Figure(share, max(0.0, middle - reach), min(1.0, middle + reach))


def point_for_recall(labels: Marks, scores: Floats, least: float) -> float:
    """The highest score from which on at least this share of the positives is flagged."""
    ordered = np.sort(scores[labels])[::-1]
    return float(ordered[int(np.ceil(least * len(ordered))) - 1])


def recall_at_precision(labels: Marks, scores: Floats, least: float) -> float:
    """The highest recall of any point with at least this precision: 0 for no point, nan for no positive."""
    if not labels.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(labels[order])
    # A point flags all rows of its score or none of them.
    is_last = np.append(np.diff(scores[order]) != 0, True)
    reached = is_last & (right / np.arange(1, len(labels) + 1) >= least)
    return float(right[reached][-1] / labels.sum()) if reached.any() else 0.0


def by_group(groups: Sequence[str], *columns: Floats) -> tuple[list[str], list[Floats]]:
    """The groups in order, and the highest value (0 up) of each column in each."""
    names, rows = np.unique(np.array(groups), return_inverse=True)
    highest = [np.zeros(len(names)) for _ in columns]
    for values, into in zip(columns, highest, strict=True):
        np.maximum.at(into, rows, values)
    return names.tolist(), highest


def measured_ordinary(
    shares: Floats,
    point: float,
    screenings: Sequence[Screening],
    readings: Sequence[ModelReading | None],
) -> dict[str, Figure]:
    """Of ordinary texts, the share that is flagged, and of days of DAY_MESSAGES of them those at a level.

    Days at high are the lexicon's: beside words alone a reading makes nothing high, whatever it says.
    """
    levels = _levels_of_days(screenings, readings)
    without = _levels_of_days(screenings, [None] * len(screenings))
    return {
        "flagged": share_flagged(shares, point),
        "days_of_30_at_high": _reaching(levels, Level.HIGH),
        "days_of_30_at_medium": _reaching(levels, Level.MEDIUM),
        "days_of_30_at_medium_without_it": _reaching(without, Level.MEDIUM),
    }


def _reaching(levels: Sequence[Level], least: Level) -> Figure:
    return share_flagged(np.array([float(level.rank) for level in levels]), least.rank)


def _levels_of_days(screenings: Sequence[Screening], readings: Sequence[ModelReading | None]) -> list[Level]:
    origin = Origin("message", _NOON)
    told = [
        [
            *(draft.item for draft in from_screening(screening, origin)),
            *([from_text_model(reading, origin).item] if reading is not None else ()),
        ]
        for screening, reading in zip(screenings, readings, strict=True)
    ]
    return [
        assess(Inputs(_NOON, tuple(chain.from_iterable(told[start : start + DAY_MESSAGES])))).level
        for start in range(0, len(told) - DAY_MESSAGES + 1, DAY_MESSAGES)
    ]
