"""The linear text model: two weight vectors over hashed n-grams, read from a plain array file (no pickle).

One vector orders texts by severity, the other tells crisis from ordinary talk; the score is the first and a
little of the second, and a logistic curve turns it into a share (0 to 1) of such posts that readers put at
intent, plan or behaviour. It keeps no text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .lexicon import Lexicon, lexicon
from .ngrams import BUCKETS, Grams, Ints, grams_of
from .screening import Screening
from .style import NAMES, style_of
from .textmodel import ModelReading

Floats = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent / "textmodel_v1"
WEIGHTS, CARD, SUMS = "weights.npy", "card.json", "SHA256SUMS"
ROWS = ("severity", "crisis", "rarity")
"""The rows of the array: signed bytes, each to be multiplied by its scale of the card."""
BATCH = 256
STYLE_CLIP = 3.0


class ModelRefused(Exception):
    """The files are not what their checksums say, or not of a shape that this code reads."""


@dataclass(frozen=True)
class Parameters:
    """Everything of the model beside its array; plain numbers that stand in the card."""

    scales: dict[str, float]
    biases: dict[str, float]
    style_mean: list[float]
    style_spread: list[float]
    style_severity: list[float]
    style_crisis: list[float]
    crisis_share: float
    crisis_least: float
    crisis_most: float
    curve: tuple[float, float]
    operating_point: float


@dataclass(frozen=True)
class Linear:
    """A loaded model; safe to share, and its methods read texts in memory only."""

    version: str
    weights: npt.NDArray[np.int8]
    parameters: Parameters
    words: Lexicon
    _float: npt.NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Widen the bytes once."""
        scales = np.array([self.parameters.scales[row] for row in ROWS], dtype=np.float32)
        object.__setattr__(self, "_float", self.weights.astype(np.float32) * scales[:, None])

    def read_many(self, texts: Sequence[str], screenings: Sequence[Screening]) -> list[ModelReading | None]:
        """Read texts that the lexicon has screened; None for each below the operating point."""
        return self.readings(*self.shares(texts, screenings))

    def readings(self, shares: Floats, known: Floats) -> list[ModelReading | None]:
        """What calibrated shares amount to; None for each below the operating point."""
        point = self.parameters.operating_point
        return [
            ModelReading(round(share, 3), round(sure, 2), self.version) if share >= point else None
            for share, sure in zip(shares.tolist(), known.tolist(), strict=True)
        ]

    def shares(self, texts: Sequence[str], screenings: Sequence[Screening]) -> tuple[Floats, Floats]:
        """The calibrated share (0 to 1) of each text, and how much of its n-grams training knew (0 to 1)."""
        found = [
            self._some(texts[at : at + BATCH], screenings[at : at + BATCH])
            for at in range(0, len(texts), BATCH)
        ]
        if not found:
            return np.zeros(0), np.zeros(0)
        scores = np.concatenate([one for one, _ in found])
        return shares_of(scores, self.parameters.curve), np.concatenate([two for _, two in found])

    def _some(self, texts: Sequence[str], screenings: Sequence[Screening]) -> tuple[Floats, Floats]:
        words = [self.words.words(text) for text in texts]
        styles = np.array([style_of(*pair) for pair in zip(words, screenings, strict=True)])
        return self.scores(grams_of(words), styles)

    def scores(self, grams: Grams, styles: Floats) -> tuple[Floats, Floats]:
        """The raw score of each text and the share of its n-grams that training knew."""
        facts = self.parameters
        severity, crisis, rarity = (self._float[row][grams.buckets] for row in range(3))
        rows, count = grams.rows, len(grams.sizes)
        length = lengths_of(rarity, rows, count)
        clipped = clip_styles(styles, np.array(facts.style_mean), np.array(facts.style_spread))
        weighed = {}
        for name, weights, own in (
            ("severity", severity, facts.style_severity), ("crisis", crisis, facts.style_crisis),
        ):  # fmt: skip
            spoken = np.bincount(rows, weights=rarity * weights, minlength=count) / length
            weighed[name] = spoken + (clipped * np.array(own)).sum(axis=1) + facts.biases[name]
        leaning = np.clip(weighed["crisis"], facts.crisis_least, facts.crisis_most)
        known = np.bincount(rows, weights=rarity > 0, minlength=count) / np.maximum(1, grams.sizes)
        return weighed["severity"] + facts.crisis_share * leaning, known


def lengths_of(values: npt.NDArray[np.floating], rows: Ints, count: int) -> Floats:
    """The length of each text as a vector of these values; 1 for a text without any."""
    length = np.sqrt(np.bincount(rows, weights=values * values, minlength=count))
    length[length == 0] = 1
    return length


def shares_of(scores: Floats, curve: tuple[float, float]) -> Floats:
    """Raw scores as shares (0 to 1), by the slope and offset of a logistic curve."""
    return 1 / (1 + np.exp(-(curve[0] * scores + curve[1])))


def clip_styles(styles: Floats, mean: Floats, spread: Floats) -> Floats:
    """Styles as distances from the training's mean in its spreads, never beyond STYLE_CLIP."""
    return np.clip((styles - mean) / spread, -STYLE_CLIP, STYLE_CLIP)


def load(folder: Path = FOLDER, words: Lexicon | None = None) -> Linear:
    """Load and check a model.

    Raises ModelRefused for a missing file, a bad checksum, another lexicon or another shape.
    """
    try:
        lines = (folder / SUMS).read_text("ascii").splitlines()
        sums = {name: value for value, name in (line.split(None, 1) for line in lines)}
        raw = {name: (folder / name).read_bytes() for name in (WEIGHTS, CARD)}
    except (OSError, ValueError) as error:
        raise ModelRefused(f"The text model can't be read: {type(error).__name__}.") from error
    for name, content in raw.items():
        if sums.get(name) != hashlib.sha256(content).hexdigest():
            raise ModelRefused(f"{name} of the text model is not what its checksum says.")
    card = json.loads(raw[CARD])
    words = words or lexicon()
    if card["lexicon"] != words.version:
        raise ModelRefused(
            f"The text model was trained for the lexicon {card['lexicon']}, not {words.version}."
        )
    # From the very bytes whose checksum was taken: the file may have changed since.
    weights = np.load(BytesIO(raw[WEIGHTS]), allow_pickle=False)
    if weights.shape != (len(ROWS), BUCKETS) or weights.dtype != np.int8:
        raise ModelRefused(f"{WEIGHTS} has another shape than this code reads.")
    if tuple(card["style_names"]) != NAMES:
        raise ModelRefused("The text model was trained for other style features.")
    return Linear(card["version"], weights, parameters_of(card["parameters"]), words)


def parameters_of(raw: dict[str, Any]) -> Parameters:
    """The parameters as a card keeps them."""
    return Parameters(**{**raw, "curve": tuple(raw["curve"])})
