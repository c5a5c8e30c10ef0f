"""Scores anybody's labelled texts with a model and says how well it does: in figures, never a text."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import measuring
from .corpora import BadData, rows_of
from .linear import Floats, Linear
from .screening import Screening


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns to read, and what is positive: a number of at least `least`, or a word of `words`."""

    text: str
    label: str
    group: str = ""
    source: str = ""
    least: float = 4.0
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scored:
    """A file's labelled rows as numbers: the line that each ended on, its label, group, source and share.

    `people` has each group's score by all its texts together; empty where no group is named.
    `name` is the path as it was given: files of two folders may have one name.
    """

    name: str
    lines: tuple[int, ...]
    labels: measuring.Marks
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    shares: Floats
    people: Mapping[str, float]
    without_label: int


def score(path: Path, columns: Columns, model: Linear) -> Scored:
    """Read and score a file. Raises BadData for a file, a column or a label that can't be used."""
    needed = tuple(name for name in (columns.text, columns.label, columns.group, columns.source) if name)
    texts, labels, groups, origins, lines, skipped = [], [], [], [], [], 0
    for number, row in enumerate(rows_of(path, needed), 1):
        if not row[columns.label].strip():
            skipped += 1
            continue
        texts.append(row[columns.text])
        labels.append(is_positive(row[columns.label], columns, f"{path.name}, row {number}"))
        groups.append(row[columns.group] if columns.group else str(number))
        origins.append(row[columns.source] if columns.source else str(path))
        lines.append(number)
    if not texts:
        raise BadData(f"{path.name} has no row with a label in {columns.label}.")
    _, (shares, _) = screened(texts, model)
    people = model.of_people(texts, groups) if columns.group else {}
    marks = np.array(labels)
    return Scored(str(path), tuple(lines), marks, tuple(groups), tuple(origins), shares, people, skipped)


def is_positive(label: str, columns: Columns, where: str) -> bool:
    """Whether a label is positive. Raises BadData for a word where numbers are expected."""
    if columns.words:
        return label.strip() in columns.words
    try:
        return float(label) >= columns.least
    except ValueError as error:
        raise BadData(
            f"{where}: the label in {columns.label} is no number; name the positive words with --positive."
        ) from error


def screened(texts: Sequence[str], model: Linear) -> tuple[list[Screening], tuple[Floats, Floats]]:
    """What the lexicon says of each text, and the model's shares with how much of each it knew."""
    screenings = [model.words.screen(text) for text in texts]
    return screenings, model.shares(texts, screenings)


def report(scored: Sequence[Scored], model: Linear, seed: int) -> Iterator[str]:
    """The figures in lines: all rows, then each source, then each file's groups by their highest share."""
    point = model.parameters.operating_point
    labels = np.concatenate([one.labels for one in scored])
    shares = np.concatenate([one.shares for one in scored])
    groups = [f"{one.name}:{group}" for one in scored for group in one.groups]
    sources = np.array([source for one in scored for source in one.sources])
    yield f"model {model.version}, operating point {point}; 95 % intervals by bootstrap"
    for name in ("", *sorted(set(sources.tolist()))):
        rows = (sources == name).nonzero()[0] if name else np.arange(len(labels))
        if name and len(rows) == len(labels):
            continue
        yield from _figures(
            name or "all rows", labels[rows], shares[rows], point, [groups[i] for i in rows], seed
        )
    if len(set(groups)) < len(groups):
        names, (highest, positive) = measuring.by_group(groups, shares, labels.astype(float))
        yield from _figures("groups by their highest share", positive > 0, highest, point, names, seed)
        people = {f"{one.name}:{group}": value for one in scored for group, value in one.people.items()}
        if people:
            together = np.array([people[name] for name in names])
            found = measuring.measured(positive > 0, together, point, names, seed)
            yield f"groups by all their texts together: {len(names)} groups, {int(positive.sum())} positive"
            yield from _lines({"auroc": found["auroc"]})


def _figures(
    name: str, labels: measuring.Marks, shares: Floats, point: float, groups: Sequence[str], seed: int
) -> Iterator[str]:
    yield f"{name}: {len(labels)} rows, {int(labels.sum())} positive"
    yield from _lines(measuring.measured(labels, shares, point, groups, seed))


def _lines(figures: Mapping[str, measuring.Figure]) -> Iterator[str]:
    for name, figure in figures.items():
        yield f"  {name.replace('_', ' '):<32}{figure}"


def benign_report(path: Path, text: str, model: Linear) -> Iterator[str]:
    """The share of ordinary texts that is flagged, and of days of 30 of them at a level."""
    texts = [row[text] for row in rows_of(path, (text,))]
    screenings, (shares, known) = screened(texts, model)
    readings = model.readings(shares, known)
    yield f"{path}: {len(texts)} ordinary texts"
    yield from _lines(
        measuring.measured_ordinary(shares, model.parameters.operating_point, screenings, readings)
    )


def write_scores(path: Path, scored: Sequence[Scored], model: Linear) -> None:
    """Write file, row, share and flag of each scored row; no text and no label."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("file", "row", "score", "flagged"))
        for one in scored:
            for line, share in zip(one.lines, one.shares.tolist(), strict=True):
                writer.writerow(
                    (one.name, line, f"{share:.6f}", int(share >= model.parameters.operating_point))
                )
