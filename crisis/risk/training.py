"""The recipe of the text model: which files play which part, the folds, two fits, and what is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import fitting, measuring
from .corpora import BadData, rows_of
from .lexicon import Lexicon
from .linear import ROWS, Floats, Linear, Parameters, clip_styles, shares_of
from .ngrams import BUCKETS, Grams, Ints, grams_of
from .screening import Screening
from .style import style_of

FILES = {
    "severity": "risk/cssrs_severity_dev.csv.gz",
    "posts": "risk/cssrs_reddit_dev.csv.gz",
    "ordinary": "emotion/goemotions_train.csv.gz",
    "ordinary_unseen": "emotion/goemotions_dev.csv.gz",
    "ordinary_foreign": "emotion/emobank.csv.gz",
}
SEED, FOLDS = 20260310, 8
SEVERE = 4
MACHINES = tuple(f"{name}_label" for name in ("gpt", "claude", "gemini", "llama", "mistral"))
IN_CRISIS = frozenset({"ideation", "behavior", "attempt"})
SINGLES, JOINED, MOST_JOINED = 12_000, 5_000, 9
PENALTY, COST, CRISIS_WEIGHT = 0.3, 5.0, 5.0
STYLE_SCALE = (0.05 / 27) ** 0.5
CRISIS_SHARE, CRISIS_LEAST, CRISIS_MOST = 0.02, -4.0, 2.0
RECALL = 0.90

Say = Callable[[str], None]


@dataclass(frozen=True)
class Texts:
    """Texts without their words: n-grams, style, what the lexicon said, whose they are, labels by name."""

    grams: Grams
    styles: Floats
    screenings: tuple[Screening, ...]
    owners: tuple[str, ...]
    labels: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.owners)


def texts_of(texts: Sequence[str], owners: Sequence[str], words: Lexicon, **labels: Sequence[float]) -> Texts:
    """Read texts into numbers; the texts themselves are let go."""
    folded = [words.words(text) for text in texts]
    screenings = tuple(words.screen(text) for text in texts)
    styles = np.array([style_of(*pair) for pair in zip(folded, screenings, strict=True)])
    marks = {name: np.array(values, dtype=float) for name, values in labels.items()}
    return Texts(grams_of(folded), styles, screenings, tuple(owners), marks)


def read_all(folder: Path, words: Lexicon, say: Say) -> dict[str, Texts]:
    """Read every file of the recipe. Raises BadData for rows that it can't use."""
    say("reading and screening the texts")
    severity = list(rows_of(folder / FILES["severity"], ("author_id", "severity", "text", *MACHINES)))
    posts = list(
        rows_of(folder / FILES["posts"], ("user", "user_label", "user_positive", "post_label", "text"))
    )
    plain = {
        part: [row["text"] for row in rows_of(folder / FILES[part], ("text",))]
        for part in ("ordinary", "ordinary_unseen", "ordinary_foreign")
    }
    if not (severity and posts and all(plain.values())):
        raise BadData("One of the files has no rows.")
    grades = [_number(row["severity"], "severity") for row in severity]
    read = {
        "severity": texts_of(
            [row["text"] for row in severity], [row["author_id"] for row in severity], words,
            grade=grades, target=[_target(row) for row in severity],
        ),
        "posts": texts_of(
            [row["text"] for row in posts], [row["user"] for row in posts], words,
            crisis=[row["post_label"] in IN_CRISIS for row in posts],
            positive=[row["user_positive"] == "1" for row in posts],
            helper=[row["user_label"] == "supportive" for row in posts],
        ),
        "ordinary": _ordinary(plain["ordinary"], words),
    }  # fmt: skip
    for part in ("ordinary_unseen", "ordinary_foreign"):
        read[part] = texts_of(plain[part], [""] * len(plain[part]), words)
    return read


def _number(value: str, column: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise BadData(f"The column {column} holds what is no number.") from error


def _target(row: dict[str, str]) -> float:
    """Half the human reader's word, half the share of the machine labels that say the same."""
    machines = [_number(row[name], name) >= SEVERE for name in MACHINES if row[name]]
    human = float(_number(row["severity"], "severity") >= SEVERE)
    return 0.5 * human + 0.5 * (sum(machines) / len(machines) if machines else human)


def _ordinary(texts: Sequence[str], words: Lexicon) -> Texts:
    """Comments alone, and others joined, so that a long text is not taken for a crisis by its length."""
    random = np.random.default_rng(SEED)
    order = random.permutation(len(texts)).tolist()
    singles, rest = order[:SINGLES], order[SINGLES:]
    made, at = [texts[number] for number in singles], 0
    while at < len(rest) and len(made) < len(singles) + JOINED:
        size = int(random.integers(2, MOST_JOINED + 1))
        made.append(". ".join(texts[number] for number in rest[at : at + size]))
        at += size
    return texts_of(made, [""] * len(made), words)


def folds_of(owners: Sequence[str]) -> Ints:
    """The fold of each row: all rows of an owner together, by the hash of their name."""
    ordered = sorted(set(owners), key=lambda owner: hashlib.sha256(f"{SEED}:{owner}".encode()).hexdigest())
    place = {owner: number % FOLDS for number, owner in enumerate(ordered)}
    return np.array([place[owner] for owner in owners])


def fit(read: dict[str, Texts], severity: Ints, posts: Ints, words: Lexicon) -> Linear:
    """Fit both vectors on these rows of the crisis sources and all ordinary texts; the curve comes later."""
    severe, told, ordinary = read["severity"], read["posts"], read["ordinary"]
    told_rows = posts[told.labels["crisis"][posts] > 0]
    seen = [
        fitting.chosen(severe.grams, severity), fitting.chosen(told.grams, told_rows), ordinary.grams,
    ]  # fmt: skip
    rarity, rarity_scale = _bytes(fitting.rarity_of(_joined(seen)))
    rough = rarity * rarity_scale
    mean, spread = severe.styles[severity].mean(axis=0), severe.styles[severity].std(axis=0) + 0.01
    styles = [
        clip_styles(part, mean, spread) * STYLE_SCALE
        for part in (severe.styles[severity], told.styles[told_rows], ordinary.styles)
    ]
    of_severity, severity_bias = fitting.ridge(
        fitting.Table(seen[0], rough, styles[0]), severe.labels["target"][severity], PENALTY
    )
    graded = severe.labels["grade"][severity] >= 1
    speaking = np.concatenate(
        [graded, np.ones(len(told_rows), dtype=bool), np.ones(len(ordinary), dtype=bool)]
    ).nonzero()[0]
    labels = np.concatenate(
        [np.ones(len(severity) + len(told_rows)), np.zeros(len(ordinary))]
    )[speaking]  # fmt: skip
    table = fitting.Table(
        fitting.chosen(_joined(seen), speaking), rough, np.concatenate(styles)[speaking]
    )  # fmt: skip
    of_crisis, crisis_bias = fitting.logistic(table, labels, np.where(labels > 0, CRISIS_WEIGHT, 1.0), COST)
    bytes_severity, severity_scale = _bytes(of_severity[:BUCKETS])
    bytes_crisis, crisis_scale = _bytes(of_crisis[:BUCKETS])
    parameters = Parameters(
        scales=dict(zip(ROWS, (severity_scale, crisis_scale, rarity_scale), strict=True)),
        biases={"severity": severity_bias, "crisis": crisis_bias},
        style_mean=mean.tolist(),
        style_spread=spread.tolist(),
        style_severity=(of_severity[BUCKETS:] * STYLE_SCALE).tolist(),
        style_crisis=(of_crisis[BUCKETS:] * STYLE_SCALE).tolist(),
        crisis_share=CRISIS_SHARE,
        crisis_least=CRISIS_LEAST,
        crisis_most=CRISIS_MOST,
        curve=(1.0, 0.0),
        operating_point=0.5,
    )
    return Linear("", np.stack([bytes_severity, bytes_crisis, rarity]).astype(np.int8), parameters, words)


def _bytes(values: Floats) -> tuple[Floats, float]:
    """Values as whole numbers from -127 to 127, and what to multiply them by."""
    scale = float(np.abs(values).max()) / 127 or 1.0
    return np.rint(values / scale), scale


def _joined(parts: Sequence[Grams]) -> Grams:
    sizes = np.concatenate([part.sizes for part in parts])
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Grams(starts, np.concatenate([part.buckets for part in parts]))


@dataclass(frozen=True)
class Trained:
    """The model with its curve, and its figures on rows that the model of their fold never saw."""

    model: Linear
    figures: dict[str, Any]


def train(read: dict[str, Texts], words: Lexicon, say: Say) -> Trained:
    """Cross-validate by author, set curve and operating point from it, then fit on all rows."""
    severe, told = read["severity"], read["posts"]
    parts = {"severity": folds_of(severe.owners), "posts": folds_of(told.owners)}
    unseen = {name: np.zeros(len(read[name])) for name in parts}
    for fold in range(FOLDS):
        say(f"fold {fold + 1} of {FOLDS}")
        rows = {name: (of != fold).nonzero()[0] for name, of in parts.items()}
        model = fit(read, rows["severity"], rows["posts"], words)
        for name, of in parts.items():
            out = (of == fold).nonzero()[0]
            if len(out):
                unseen[name][out] = model.scores(
                    fitting.chosen(read[name].grams, out), read[name].styles[out]
                )[0]
    say("the model itself, on all rows")
    model = fit(read, np.arange(len(severe)), np.arange(len(told)), words)
    labels = severe.labels["grade"] >= SEVERE
    curve = fitting.curve_of(unseen["severity"], labels.astype(float))
    shares = {name: shares_of(scores, curve) for name, scores in unseen.items()}
    # Cut, not rounded: a point that was rounded up would miss the very row that it was set by.
    point = float(np.floor(measuring.point_for_recall(labels, shares["severity"], RECALL) * 1e4) / 1e4)
    model = replace(model, parameters=replace(model.parameters, curve=curve, operating_point=point))
    return Trained(model, _figures(read, model, shares, labels, point))


def _figures(
    read: dict[str, Texts], model: Linear, shares: dict[str, Floats], labels: measuring.Marks, point: float
) -> dict[str, Any]:
    found = measuring.measured(labels, shares["severity"], point, read["severity"].owners, SEED)
    figures: dict[str, Any] = {
        "posts": len(labels),
        "severe": int(labels.sum()),
        "severity_4_or_more": _as_json(found),
        "users": _of_users(read["posts"], shares["posts"]),
    }
    for part in ("ordinary_unseen", "ordinary_foreign"):
        texts = read[part]
        scores, known = model.scores(texts.grams, texts.styles)
        ordinary = shares_of(scores, model.parameters.curve)
        readings = model.readings(ordinary, known)
        told = measuring.measured_ordinary(ordinary, point, texts.screenings, readings)
        figures[part] = {"messages": len(ordinary), **_as_json(told)}
    return figures


def _as_json(figures: Mapping[str, measuring.Figure]) -> dict[str, list[float]]:
    return {name: figure.as_json() for name, figure in figures.items()}


def _of_users(posts: Texts, shares: Floats) -> dict[str, Any]:
    """AUROC of people by their highest post, with and without those who mostly help others."""
    names, (highest, positive, helper) = measuring.by_group(
        posts.owners, shares, posts.labels["positive"], posts.labels["helper"]
    )
    found = {}
    for name, kept in (("with_supportive", helper >= 0), ("without_supportive", helper == 0)):
        users = [owner for owner, keep in zip(names, kept.tolist(), strict=True) if keep]
        figure = measuring.measured(positive[kept] > 0, highest[kept], 0.5, users, SEED)["auroc"]
        found[name] = {"users": len(users), "auroc": figure.as_json()}
    return found
