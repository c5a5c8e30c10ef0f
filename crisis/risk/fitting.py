"""Fits linear models over n-grams with numpy alone: ridge and logistic; the same input gives the same bits.

Sums run in a fixed order (no BLAS, no threads), so that two trainings on one machine agree in every bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .linear import Floats, lengths_of
from .ngrams import BUCKETS, Grams, Ints

Loss = Callable[[Floats], tuple[float, Floats]]


class Table:
    """Texts as rows: their n-grams weighed by rarity and of length 1, then their style."""

    def __init__(self, grams: Grams, rarity: Floats, styles: Floats) -> None:
        """Weigh the n-grams of each text."""
        self.buckets, self.rows, self.count = grams.buckets, grams.rows, len(grams.sizes)
        self.styles = styles
        values = rarity[grams.buckets]
        self.values = values / lengths_of(values, self.rows, self.count)[self.rows]

    @property
    def width(self) -> int:
        """How many weights a row needs."""
        return BUCKETS + self.styles.shape[1]

    def times(self, weights: Floats) -> Floats:
        """Each row times the weights."""
        grams = np.bincount(self.rows, weights=self.values * weights[self.buckets], minlength=self.count)
        return grams + (self.styles * weights[BUCKETS:]).sum(axis=1)

    def back(self, residuals: Floats) -> Floats:
        """The rows, each times its residual, summed."""
        grams = np.bincount(self.buckets, weights=self.values * residuals[self.rows], minlength=BUCKETS)
        return np.concatenate([grams, (self.styles * residuals[:, None]).sum(axis=0)])


def rarity_of(grams: Grams, least: int = 3) -> Floats:
    """How rare each bucket is among texts (smoothed idf); 0 for what fewer than `least` texts have."""
    texts = len(grams.sizes)
    having = np.bincount(grams.buckets, minlength=BUCKETS)
    return np.where(having >= least, np.log((1 + texts) / (1 + having)) + 1, 0.0)


def chosen(grams: Grams, rows: Ints) -> Grams:
    """The n-grams of some texts only."""
    sizes = grams.sizes[rows]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.repeat(grams.starts[:-1][rows] - starts[:-1], sizes) + np.arange(starts[-1])
    return Grams(starts, grams.buckets[places])


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
    return table.back(answer), float(answer.sum()) + mean


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
    return both[:-1], float(both[-1])


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
