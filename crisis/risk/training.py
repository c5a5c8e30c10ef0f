"""The recipe of the text model: which files play which part, the folds, two fits, and what is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import fitting, measuring
from .concepts import WIDE, concepts_of
from .corpora import BadData, rows_of
from .lexicon import Lexicon
from .linear import (
    DAMPING,
    ROWS,
    SECTIONS,
    SHARES,
    STARTS,
    WIDTH,
    Floats,
    Linear,
    Parameters,
    clip_styles,
    people_of,
    sections_of,
    shares_of,
)
from .ngrams import Grams, Ints
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
SEVERE, HIGHEST = 4, 6
MACHINES = tuple(f"{name}_label" for name in ("gpt", "claude", "gemini", "llama", "mistral"))
IN_CRISIS = frozenset({"ideation", "behavior", "attempt"})
SINGLES, JOINED, MOST_JOINED = 12_000, 5_000, 9
# How far a user's class stands from calm to crisis; helpers of others are the calmest.
CLASSES = {"supportive": 0.0, "indicator": 0.25, "ideation": 0.75, "behavior": 1.0, "attempt": 1.0}
PENALTY, COST, CRISIS_WEIGHT, PERSON_PENALTY = 0.1, 5.0, 5.0, 0.3
STYLE_SCALE = (0.05 / 27) ** 0.5
CRISIS_SHARE, CRISIS_LEAST, CRISIS_MOST = 0.02, -4.0, 2.0
RECALL = 0.90

Say = Callable[[str], None]


@dataclass(frozen=True)
class Texts:
    """Texts without their words: n-grams, style, what the lexicon said, whose they are, labels by name."""

    grams: dict[str, Grams]
    styles: Floats
    screenings: tuple[Screening, ...]
    owners: tuple[str, ...]
    labels: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.owners)

    def some(self, rows: Ints) -> dict[str, Grams]:
        """The n-grams of some rows only."""
        return {section: fitting.chosen(grams, rows) for section, grams in self.grams.items()}


def texts_of(texts: Sequence[str], owners: Sequence[str], words: Lexicon, **labels: Sequence[float]) -> Texts:
    """Read texts into numbers; the texts themselves are let go."""
    folded = [words.words(text) for text in texts]
    screenings = tuple(words.screen(text) for text in texts)
    styles = np.array([style_of(*pair) for pair in zip(folded, screenings, strict=True)])
    marks = {name: np.array(values, dtype=float) for name, values in labels.items()}
    grams = sections_of(folded)
    if any(owners):
        grams["wide"] = concepts_of(folded, WIDE)
    return Texts(grams, styles, screenings, tuple(owners), marks)


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
            person=[_class(row["user_label"]) for row in posts],
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


def _class(label: str) -> float:
    if label not in CLASSES:
        raise BadData("The column user_label holds another class than the recipe knows.")
    return CLASSES[label]


def _target(row: dict[str, str]) -> float:
    """By thirds the human reader's word, the share of machine labels that say it, and their mean grade."""
    grades = [_number(row[name], name) for name in MACHINES if row[name]]
    human = float(_number(row["severity"], "severity") >= SEVERE)
    if not grades:
        return human
    severe = sum(grade >= SEVERE for grade in grades)
    return (human + severe / len(grades) + sum(grades) / len(grades) / HIGHEST) / 3


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
    """Fit all vectors on these rows of the crisis sources and all ordinary texts; the curve comes later."""
    severe, told, ordinary = read["severity"], read["posts"], read["ordinary"]
    told_rows = posts[told.labels["crisis"][posts] > 0]
    seen = [severe.some(severity), told.some(told_rows), ordinary.grams]
    joined = {name: _joined([part[name] for part in seen]) for name in ("words", "near", "lead")}
    mine = told.some(posts)
    rare, scales = _quantised(
        "rarity",
        np.concatenate(
            [
                fitting.rarity_of((mine if section == "wide" else joined)[section], size)
                for section, size in SECTIONS.items()
            ]
        ),
    )
    rough = rare * _spread("rarity", scales)
    mean, spread = severe.styles[severity].mean(axis=0), severe.styles[severity].std(axis=0) + 0.01
    styles = [
        clip_styles(part, mean, spread) * STYLE_SCALE
        for part in (severe.styles[severity], told.styles[told_rows], ordinary.styles)
    ]
    fitted = {
        "severity": fitting.ridge(
            _table("severity", seen[0], rough, styles[0]), severe.labels["target"][severity], PENALTY
        )
    }
    graded = severe.labels["grade"][severity] >= 1
    speaking = np.concatenate(
        [graded, np.ones(len(told_rows), dtype=bool), np.ones(len(ordinary), dtype=bool)]
    ).nonzero()[0]
    labels = np.concatenate(
        [np.ones(len(severity) + len(told_rows)), np.zeros(len(ordinary))]
    )[speaking]  # fmt: skip
    spoken = {"words": fitting.chosen(joined["words"], speaking)}
    fitted["crisis"] = fitting.logistic(
        _table("crisis", spoken, rough, np.concatenate(styles)[speaking]),
        labels, np.where(labels > 0, CRISIS_WEIGHT, 1.0), COST,
    )  # fmt: skip
    people, classes = _people(mine, [told.owners[row] for row in posts], told.labels["person"][posts])
    fitted["person"] = fitting.ridge(
        _table("person", people, rough, np.zeros((len(classes), 0))), classes, PERSON_PENALTY
    )
    rows = {"rarity": rare}
    for name, (weights, _) in fitted.items():
        rows[name], own = _quantised(name, weights[:WIDTH])
        scales |= own
    parameters = Parameters(
        scales=scales,
        biases={name: bias for name, (_, bias) in fitted.items()},
        style_mean=mean.tolist(),
        style_spread=spread.tolist(),
        style_severity=(fitted["severity"][0][WIDTH:] * STYLE_SCALE).tolist(),
        style_crisis=(fitted["crisis"][0][WIDTH:] * STYLE_SCALE).tolist(),
        crisis_share=CRISIS_SHARE,
        crisis_least=CRISIS_LEAST,
        crisis_most=CRISIS_MOST,
        curve=(1.0, 0.0),
        operating_point=0.5,
    )
    return Linear("", np.stack([rows[name] for name in ROWS]).astype(np.int8), parameters, words)


def _table(name: str, grams: Mapping[str, Grams], rarity: Floats, styles: Floats) -> fitting.Table:
    """The rows that the vector of this name is fitted to."""
    return fitting.Table(
        [
            fitting.Section(
                grams[section],
                rarity[STARTS[section] :][: SECTIONS[section]],
                STARTS[section],
                share,
                DAMPING[section],
            )
            for section, share in SHARES[name].items()
        ],
        styles,
    )


def _people(
    grams: Mapping[str, Grams], owners: Sequence[str], classes: Floats
) -> tuple[dict[str, Grams], Floats]:
    """The texts of each owner put together, in the order of their names, and the class of each."""
    names, first, rows = np.unique(np.array(owners), return_index=True, return_inverse=True)
    return people_of(grams["words"], grams["wide"], rows, len(names)), classes[first]


def _quantised(name: str, values: Floats) -> tuple[Floats, dict[str, float]]:
    """A row as whole numbers from -127 to 127, and what to multiply each of its sections by."""
    parts = [values[at : at + SECTIONS[section]] for section, at in STARTS.items()]
    scales = [float(np.abs(part).max()) / 127 or 1.0 for part in parts]
    whole = [np.rint(part / scale) for part, scale in zip(parts, scales, strict=True)]
    return np.concatenate(whole), {
        f"{name} {section}": scale for section, scale in zip(STARTS, scales, strict=True)
    }


def _spread(name: str, scales: Mapping[str, float]) -> Floats:
    return np.repeat([scales[f"{name} {section}"] for section in SECTIONS], list(SECTIONS.values()))


def _joined(parts: Sequence[Grams]) -> Grams:
    sizes = np.concatenate([part.sizes for part in parts])
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Grams(
        starts,
        np.concatenate([part.buckets for part in parts]),
        np.concatenate([part.numbers for part in parts]),
    )


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
    together: dict[str, float] = {}
    for fold in range(FOLDS):
        say(f"fold {fold + 1} of {FOLDS}")
        rows = {name: (of != fold).nonzero()[0] for name, of in parts.items()}
        model = fit(read, rows["severity"], rows["posts"], words)
        for name, of in parts.items():
            out = (of == fold).nonzero()[0]
            if len(out):
                unseen[name][out] = model.scores(read[name].some(out), read[name].styles[out])[0]
        out = (parts["posts"] == fold).nonzero()[0]
        if len(out):
            people, _ = _people(told.some(out), [told.owners[row] for row in out], told.labels["person"][out])
            owners = sorted({told.owners[row] for row in out})
            together |= dict(zip(owners, model.person_scores(people).tolist(), strict=True))
    say("the model itself, on all rows")
    model = fit(read, np.arange(len(severe)), np.arange(len(told)), words)
    labels = severe.labels["grade"] >= SEVERE
    curve = fitting.curve_of(unseen["severity"], labels.astype(float))
    shares = {name: shares_of(scores, curve) for name, scores in unseen.items()}
    # Cut, not rounded: a point that was rounded up would miss the very row that it was set by.
    point = float(np.floor(measuring.point_for_recall(labels, shares["severity"], RECALL) * 1e4) / 1e4)
    model = replace(model, parameters=replace(model.parameters, curve=curve, operating_point=point))
    return Trained(model, _figures(read, model, shares, labels, point, together))


def _figures(
    read: dict[str, Texts],
    model: Linear,
    shares: dict[str, Floats],
    labels: measuring.Marks,
    point: float,
    together: Mapping[str, float],
) -> dict[str, Any]:
    found = measuring.measured(labels, shares["severity"], point, read["severity"].owners, SEED)
    figures: dict[str, Any] = {
        "posts": len(labels),
        "severe": int(labels.sum()),
        "severity_4_or_more": _as_json(found),
        "users": _of_users(read["posts"], shares["posts"], together),
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


def _of_users(posts: Texts, shares: Floats, together: Mapping[str, float]) -> dict[str, Any]:
    """AUROC of people by all their posts together and by the highest, with and without helpers of others."""
    names, (highest, positive, helper) = measuring.by_group(
        posts.owners, shares, posts.labels["positive"], posts.labels["helper"]
    )
    scores = np.array([together[name] for name in names])
    found = {}
    for name, kept in (("with_supportive", helper >= 0), ("without_supportive", helper == 0)):
        users = [owner for owner, keep in zip(names, kept.tolist(), strict=True) if keep]
        of_all, of_highest = (
            measuring.measured(positive[kept] > 0, values[kept], 0.5, users, SEED)["auroc"].as_json()
            for values in (scores, highest)
        )
        found[name] = {"users": len(users), "auroc": of_all, "auroc_by_highest_post": of_highest}
    return found
