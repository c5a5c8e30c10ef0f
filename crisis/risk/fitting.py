"""Fits linear models over n-grams with numpy alone: ridge and logistic; the same input gives the same bits.

Sums run in a fixed order (no BLAS, no threads), so that two trainings on one machine agree in every bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .linear import WIDTH, Floats, weighed_of
from .ngrams import Grams, Ints

Loss = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of n-gram in a table: how rare each is, where it begins, its share of a row, its damping."""

    grams: Grams
    rarity: Floats
    at: int
    share: float
    damping: float


class Table:
    """Texts as rows: per section their weighed n-grams, of its share's length, then their style."""

    def __init__(self, sections: Sequence[Section], styles: Floats) -> None:
        """Weigh the n-grams of each text; `styles` has no columns where style is not asked for."""
        self.count, self.styles = len(styles), styles
        rows, buckets, values = [], [], []
        for one in sections:
            own = one.grams.rows
            weighed = weighed_of(one.grams, one.rarity, one.damping)
            rows.append(own)
            buckets.append(one.grams.buckets + one.at)
            values.append(weighed * one.share**0.5)
        # Most n-grams are too rare to have a weight: what no text brings takes part in no sum.
        kept = np.concatenate(values).nonzero()[0]
        self.rows, self.values = np.concatenate(rows)[kept], np.concatenate(values)[kept]
        found = np.concatenate(buckets)[kept]
        is_used = np.zeros(WIDTH, dtype=bool)
        is_used[found] = True
        self.used = is_used.nonzero()[0]
        self.columns = (np.cumsum(is_used) - 1)[found]

    @property
    def width(self) -> int:
        """How many weights a row needs: those of the columns in use, then those of style."""
        return len(self.used) + self.styles.shape[1]

    def times(self, weights: Floats) -> Floats:
        """Each row times the weights."""
        used = len(self.used)
        grams = np.bincount(self.rows, weights=self.values * weights[self.columns], minlength=self.count)
        return grams + (self.styles * weights[used:]).sum(axis=1)

    def back(self, residuals: Floats) -> Floats:
        """The rows, each times its residual, summed."""
        weighed = self.values * residuals[self.rows]
        grams = np.bincount(self.columns, weights=weighed, minlength=len(self.used))
        return np.concatenate([grams, (self.styles * residuals[:, None]).sum(axis=0)])

    def whole(self, weights: Floats) -> Floats:
        """The weights of all WIDTH columns, 0 for those not in use, then those of style."""
        wide = np.zeros(WIDTH)
        wide[self.used] = weights[: len(self.used)]
        return np.concatenate([wide, weights[len(self.used) :]])


def rarity_of(grams: Grams, size: int, least: int = 3) -> Floats:
    """How rare each bucket is among texts (smoothed idf); 0 for what fewer than `least` texts have."""
    texts = len(grams.sizes)
    having = np.bincount(grams.buckets, minlength=size)
    return np.where(having >= least, np.log((1 + texts) / (1 + having)) + 1, 0.0)


def chosen(grams: Grams, rows: Ints) -> Grams:
    """The n-grams of some texts only."""
    sizes = grams.sizes[rows]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.repeat(grams.starts[:-1][rows] - starts[:-1], sizes) + np.arange(starts[-1])
    return Grams(starts, grams.buckets[places], grams.numbers[places])


def ridge(table: Table, targets: Floats, penalty: float, rounds: int = 400) -> tuple[Floats, float]:
    """Weights and bias that come closest to the targets (penalised least squares, conjugate gradients).

    Solved in as many unknowns as there are texts: (X Xt + 1 + penalty) a = targets - mean.
    """
    mean = float(targets.mean())
    answer = np.zeros(table.count)
    rest = targets - mean
    way = rest.copy()
    size = first = _dot(rest, rest)
    for _ in range(rounds):
        if size <= 1e-16 * first or size == 0:
            break
        ahead = table.times(table.back(way)) + way.sum() + penalty * way
        step = size / _dot(way, ahead)
        answer += step * way
        rest = rest - step * ahead
        last, size = size, _dot(rest, rest)
        way = rest + (size / last) * way
    return table.whole(table.back(answer)), float(answer.sum()) + mean


def logistic(table: Table, labels: Floats, counts: Floats, cost: float) -> tuple[Floats, float]:
    """Weights and bias of a logistic model; `counts` says how much each row counts."""

    def loss(both: Floats) -> tuple[float, Floats]:
        weights = both[:-1]
        scores = table.times(weights) + both[-1]
        lost = float((counts * (np.logaddexp(0, scores) - labels * scores)).sum())
        residuals = cost * counts * (1 / (1 + np.exp(-scores)) - labels)
        slope = np.concatenate([table.back(residuals) + weights, [residuals.sum()]])
        return 0.5 * _dot(weights, weights) + cost * lost, slope

    both = descend(loss, np.zeros(table.width + 1))
    return table.whole(both[:-1]), float(both[-1])


def curve_of(scores: Floats, labels: Floats) -> tuple[float, float]:
    """Slope and offset of the logistic curve that turns scores into shares (Platt), without a penalty."""
    middle, spread = float(scores.mean()), float(scores.std()) or 1.0
    scaled = (scores - middle) / spread

    def loss(both: Floats) -> tuple[float, Floats]:
        found = both[0] * scaled + both[1]
        residuals = 1 / (1 + np.exp(-found)) - labels
        return float((np.logaddexp(0, found) - labels * found).sum()), np.array(
            [_dot(residuals, scaled), residuals.sum()]
        )

    slope, offset = descend(loss, np.zeros(2)).tolist()
    return slope / spread, offset - slope * middle / spread


def descend(loss: Loss, start: Floats, rounds: int = 120, memory: int = 8) -> Floats:
    """Find the least of a smooth convex loss (L-BFGS with halved steps)."""
    here, (value, slope) = start, loss(start)
    moves: list[tuple[Floats, Floats]] = []
    for _ in range(rounds):
        way = _direction(slope, moves)
        fall, step = _dot(slope, way), 1.0
        while True:
            there = here - step * way
            next_value, next_slope = loss(there)
            if next_value <= value - 1e-4 * step * fall or step < 1e-8:
                break
            step /= 2
        move = (there - here, next_slope - slope)
        if _dot(*move) > 1e-12:
            moves = [*moves[1 - memory :], move] if len(moves) >= memory else [*moves, move]
        is_flat = abs(value - next_value) <= 1e-6 * max(1.0, abs(value))
        here, value, slope = there, next_value, next_slope
        if is_flat:
            break
    return here


def _direction(slope: Floats, moves: list[tuple[Floats, Floats]]) -> Floats:
    way, parts = slope.copy(), []
    for moved, turned in reversed(moves):
        part = _dot(moved, way) / _dot(turned, moved)
        parts.append(part)
        way -= part * turned
    if moves:
        moved, turned = moves[-1]
        way *= _dot(moved, turned) / _dot(turned, turned)
    else:
        way /= max(1.0, _dot(slope, slope) ** 0.5)
    for (moved, turned), part in zip(moves, reversed(parts), strict=True):
        way += moved * (part - _dot(turned, way) / _dot(turned, moved))
    return way


def _dot(left: Floats, right: Floats) -> float:
    return float((left * right).sum())
