"""Writes a trained model: the array, its card as JSON and as a page to read, and their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from . import training
from .concepts import GROUPS, LEAD, NEAR, WIDE
from .corpora import Source
from .linear import CARD, SUMS, WEIGHTS
from .ngrams import BITS, LETTERS
from .style import NAMES

PAGE = "MODEL_CARD.md"
RECIPE = "linear-2"
AIMS = {
    "auroc": 0.93, "recall": 0.90, "precision": 0.55, "flagged": 0.01, "days_at_high": 0.02, "users": 0.83,
}  # fmt: skip
LIMITS = (
    "English only. A message is scored when its app or its person's record says that it is English, "
    "unless at least half of what the lexicon knows of its words is of another language. Swahili or Sheng "
    "that an app calls English, in words that the lexicon doesn't know, is scored all the same, and what "
    "comes of it means nothing. The model's silence about a Swahili, Sheng or mixed message says nothing "
    "about the person.",
    "Trained on public posts of people who sought out a forum, most of them long; messages in a chat "
    "are shorter, and nobody from Kenya is known to be among the authors.",
    "The share that it gives is the share of such forum posts that readers put at C-SSRS 4 to 6, not "
    "a chance that somebody comes to harm. It orders attention and predicts nothing.",
    "588 posts carry a human severity, 123 of them 4 or more: intervals are wide, and single words "
    "weigh more than they should.",
    "Half of each training target is the share of five machine labels that shipped beside the human "
    "one; they may have anchored it. All figures are against the human label alone.",
    "The recipe (concepts, style numbers, penalties, shares, damping) was chosen on splits of the same "
    "rows that the figures come from, so they are somewhat flattering: decision 18 has what a choice on "
    "inner folds alone gives. Curve and operating point were fitted to the very scores that they are "
    "measured on. "
    "The words of a concept were chosen by their sense, without looking for what the figures reward.",
    "The second source had some words replaced by clinical terms before it was published.",
    "It says little about who is at risk over time: one post of a user says little about the label that "
    "their whole history got. Their texts together say more, but no message is judged that way: only "
    "`manage.py evaluate_text_model` does, where texts have a group.",
    "Alone it never pages anybody: its part is capped at .50, and what rests on it stays at medium. "
    "Beside another domain of .20 or more it can reach high, which neither reaches alone.",
    "No clinician has signed it. It is off for every organization until one sets it to shadow or live.",
)


def write(folder: Path, trained: training.Trained, sources: Mapping[str, Source]) -> str:
    """Write the model's four files into a folder and return its version; bit for bit the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    array = BytesIO()
    np.lib.format.write_array(array, trained.model.weights, allow_pickle=False)
    parameters = asdict(trained.model.parameters)
    inner = hashlib.sha256(array.getvalue() + json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    card = {
        "version": f"{RECIPE}+{inner[:8]}",
        "languages": ["en"],
        "seed": training.SEED,
        "folds": training.FOLDS,
        "numpy": np.__version__,
        "lexicon": trained.model.words.version,
        "buckets": 1 << BITS,
        "letters": list(LETTERS),
        "style_names": list(NAMES),
        "concepts": {"names": list(GROUPS), "apart": [NEAR, WIDE], "beginning": LEAD},
        "data": {role: asdict(source) for role, source in sources.items()},
        "figures": trained.figures,
        "limits": list(LIMITS),
        "parameters": parameters,
    }
    text = json.dumps(card, indent=1, sort_keys=True) + "\n"
    files = {WEIGHTS: array.getvalue(), CARD: text.encode(), PAGE: page_of(card).encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    (folder / SUMS).write_text(sums, "ascii")
    return str(card["version"])


def page_of(card: Mapping[str, Any]) -> str:
    """The card as a page: what it is, its data, figures beside their aims, limits."""
    figures = card["figures"]
    severe, users = figures["severity_4_or_more"], figures["users"]
    point = card["parameters"]["operating_point"]
    lines = [
        f"# Text model {card['version']}",
        "",
        "A linear model over hashed word and letter n-grams, concepts near each other and 28 numbers "
        "of style, written by `manage.py train_text_model`; this page is generated, don't edit it. "
        f"Seed {card['seed']}, numpy {card['numpy']}, lexicon {card['lexicon']}.",
        "",
        "## Data",
        "",
        "| part | file | rows | SHA-256 | licence | source |",
        "|---|---|---|---|---|---|",
        *(_source(role, one) for role, one in sorted(card["data"].items())),
        "",
        "The parts `ordinary_unseen` and `ordinary_foreign` are measured on and never trained on. "
        "No text of them is in this repository.",
        "",
        "## Figures",
        "",
        f"On rows that the model of their fold never saw ({card['folds']} folds by author; 95 % intervals by "
        "bootstrap over authors), against human labels. Operating point: the highest with a recall of "
        f"{training.RECALL:.2f} on these very rows, a share of {point}; so the recall there is no finding. "
        "Days are made of 30 ordinary messages at one moment. Beside words alone a reading makes nothing "
        "high, so that days at high are the lexicon's; what the model adds is days at medium.",
        "",
        "| what | measured | aim | |",
        "|---|---|---|---|",
        _row("severity 4 or more: AUROC", severe["auroc"], AIMS["auroc"]),
        _row("recall at the operating point, by its choice", severe["recall"], None),
        _row("precision there", severe["precision"], AIMS["precision"]),
        _row("specificity there", severe["specificity"], None),
        _row("recall where precision is 0.55", severe["recall_at_precision_0.55"], AIMS["recall"]),
    ]
    for part, name in (("ordinary_unseen", "GoEmotions dev"), ("ordinary_foreign", "EmoBank")):
        found = figures[part]
        many, medium, high = found["messages"], "days_of_30_at_medium", found["days_of_30_at_high"]
        at_high = f"days of them at high or above, {name}: the lexicon's"
        lines += [
            _row(f"ordinary messages flagged, {name} ({many})", found["flagged"], AIMS["flagged"], most=True),
            _row(f"days of them at medium or above, {name}", found[medium], None),
            _row(f"the same days without the model, {name}", found[f"{medium}_without_it"], None),
            _row(at_high, high, AIMS["days_at_high"], most=True),
        ]
    for name, one in users.items():
        who = f"{one['users']} users, {name.replace('_', ' ')}: AUROC"
        lines += [
            _row(f"{who} by all their posts together", one["auroc"], AIMS["users"]),
            _row(f"{who} by their highest post", one["auroc_by_highest_post"], None),
        ]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in card["limits"]), ""]
    return "\n".join(lines)


def _source(role: str, one: Mapping[str, Any]) -> str:
    cells = (role, f"`{one['path']}`", one["rows"], f"`{one['sha256']}`", one["licence"], one["origin"])
    return f"| {' | '.join(map(str, cells))} |"


def _row(name: str, figure: list[float], aim: float | None, *, most: bool = False) -> str:
    value = figure[0]
    shown = f"{value:.4f} ({figure[1]:.4f} to {figure[2]:.4f})"
    if aim is None:
        return f"| {name} | {shown} | | |"
    met = value <= aim if most else value >= aim
    return f"| {name} | {shown} | {'at most ' if most else ''}{aim} | {'met' if met else 'MISSED'} |"
