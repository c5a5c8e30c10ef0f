"""The linear text model: three weight vectors over n-grams and concepts, read from a plain array (no pickle).

One vector orders texts by severity, another tells crisis from ordinary talk; the score is the first and a
little of the second, and a logistic curve turns it into a share (0 to 1) of such posts that readers put at
intent, plan or behaviour. The third orders people by all their texts together; nothing but
`manage.py evaluate_text_model` asks it. It keeps no text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .concepts import KEYS, WIDE, concepts_of, near_and_leading
from .lexicon import Lexicon, lexicon
from .ngrams import BUCKETS, Grams, Ints, grams_of, once, together
from .screening import Screening
from .style import NAMES, style_of
from .textmodel import ModelReading

Floats = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent / "textmodel_v1"
WEIGHTS, CARD, SUMS = "weights.npy", "card.json", "SHA256SUMS"
ROWS = ("severity", "crisis", "person", "rarity")
"""The rows of the array: signed bytes, each section of a row to be multiplied by its scale of the card."""
SECTIONS = {"words": BUCKETS, "near": KEYS, "lead": KEYS, "wide": KEYS}
"""The columns: n-grams of words and letters, concepts near each other, those of the beginning, others."""
STARTS = dict(zip(SECTIONS, np.cumsum([0, *SECTIONS.values()]).tolist(), strict=False))
WIDTH = sum(SECTIONS.values())
SHARES = {
    "severity": {"words": 1.0, "near": 0.2, "lead": 0.1},
    "crisis": {"words": 1.0},
    "person": {"words": 1.0, "wide": 1.0},
}
"""Which sections a vector reads, and the share of each in the size of a text (its squared length)."""
DAMPING = {"words": 0.0, "near": 200.0, "lead": 200.0, "wide": 0.0}
"""Added to the squared length of a text in a section: few concepts, as in a short comment, say little."""
BATCH = 256
STYLE_CLIP = 3.0


class ModelRefused(Exception):
    """The files are not what their checksums say, or not of a shape that this code reads."""


@dataclass(frozen=True)
class Parameters:
    """Everything of the model beside its array; plain numbers that stand in the card.

    `scales` has one for each section of each row, by both names with a space between them.
    """

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
        wide = self.weights.astype(np.float32)
        for row, name in enumerate(ROWS):
            for section, at in STARTS.items():
                wide[row, at : at + SECTIONS[section]] *= np.float32(
                    self.parameters.scales[f"{name} {section}"]
                )
        object.__setattr__(self, "_float", wide)

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
        return self.scores(sections_of(words), styles)

    def scores(self, grams: Mapping[str, Grams], styles: Floats) -> tuple[Floats, Floats]:
        """The raw score of each text and the share of its n-grams that training knew."""
        facts, found = self.parameters, grams["words"]
        values = {section: self._weighed(grams[section], section) for section in SHARES["severity"]}
        clipped = clip_styles(styles, np.array(facts.style_mean), np.array(facts.style_spread))
        weighed = {
            name: self._spoken(name, grams, values) + (clipped * np.array(own)).sum(axis=1)
            for name, own in (("severity", facts.style_severity), ("crisis", facts.style_crisis))
        }
        leaning = np.clip(weighed["crisis"], facts.crisis_least, facts.crisis_most)
        known = np.bincount(found.rows, weights=values["words"] > 0, minlength=len(found.sizes))
        return weighed["severity"] + facts.crisis_share * leaning, known / np.maximum(1, found.sizes)

    def of_people(self, texts: Sequence[str], owners: Sequence[str]) -> dict[str, float]:
        """How each owner's texts speak together: orders people, higher for ideation, behaviour or attempt."""
        names, rows = np.unique(np.array(owners), return_inverse=True)
        words = [self.words.words(text) for text in texts]
        found = self.person_scores(people_of(grams_of(words), concepts_of(words, WIDE), rows, len(names)))
        return dict(zip(names.tolist(), found.tolist(), strict=True))

    def person_scores(self, grams: Mapping[str, Grams]) -> Floats:
        """The raw score of each person; no share of anything."""
        values = {section: self._weighed(grams[section], section) for section in SHARES["person"]}
        return self._spoken("person", grams, values)

    def _weighed(self, grams: Grams, section: str) -> Floats:
        at = STARTS[section]
        rarity = self._float[ROWS.index("rarity"), at : at + SECTIONS[section]]
        return weighed_of(grams, rarity, DAMPING[section])

    def _spoken(self, name: str, grams: Mapping[str, Grams], values: Mapping[str, Floats]) -> Floats:
        row = self._float[ROWS.index(name)]
        total = np.full(len(grams["words"].sizes), self.parameters.biases[name])
        for section, share in SHARES[name].items():
            own = grams[section]
            weights = values[section] * row[own.buckets + STARTS[section]]
            total += share**0.5 * np.bincount(own.rows, weights=weights, minlength=len(total))
        return total


def sections_of(words: Sequence[Sequence[str]]) -> dict[str, Grams]:
    """What the vectors of a message read of texts that come as their normalised words."""
    near, lead = near_and_leading(words)
    return {"words": grams_of(words), "near": near, "lead": lead}


def people_of(grams: Grams, wide: Grams, owners: Ints, count: int) -> dict[str, Grams]:
    """What the vector of people reads: the n-grams and concepts of so many owners' texts, put together."""
    return {"words": once(together(grams, owners, count)), "wide": together(wide, owners, count)}


def weighed_of(grams: Grams, rarity: npt.NDArray[np.floating], damping: float) -> Floats:
    """The n-grams of each text as a vector of length 1, or less if damped: rarity, more for what recurs."""
    values = rarity[grams.buckets] * (1 + np.log(grams.numbers))
    rows = grams.rows
    length = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(grams.sizes)) + damping)
    length[length == 0] = 1
    return np.asarray(values / length[rows])


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
    if weights.shape != (len(ROWS), WIDTH) or weights.dtype != np.int8:
        raise ModelRefused(f"{WEIGHTS} has another shape than this code reads.")
    if tuple(card["style_names"]) != NAMES:
        raise ModelRefused("The text model was trained for other style features.")
    return Linear(card["version"], weights, parameters_of(card["parameters"]), words)


def parameters_of(raw: dict[str, Any]) -> Parameters:
    """The parameters as a card keeps them."""
    return Parameters(**{**raw, "curve": tuple(raw["curve"])})
