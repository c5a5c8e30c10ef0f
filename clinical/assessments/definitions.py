"""Instruments as data: items, answers, bands, cut-offs and change rules, read from versioned files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "instruments"
TEXTS = Path(__file__).parent / "texts"
# An instrument's form for those who answered it before: another wording, one course (domain 2.1 rule 4).
LATER_FORM = {"cssrs": "cssrs_since"}
_FIRST_FORM = {later: first for first, later in LATER_FORM.items()}


def course_key(key: str) -> str:
    """Return the key of the measure whose course the answers to an instrument belong to."""
    return _FIRST_FORM.get(key, key)


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice: its value and its LOINC answer code (empty: none confirmed)."""

    value: int
    loinc: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question by key; `in_total` is false for what stands beside the total."""

    key: str
    loinc: str = ""
    in_total: bool = True
    # "" or the condition under which it is asked, as {key: value}: C-SSRS skips.
    asked_if: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """A named span of totals, both ends included."""

    code: str
    label: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """From which points on a change means something; None where the field knows no such rule."""

    significant: int | None = None
    reliable: int | None = None
    remission_below: int | None = None
    response_from: int | None = None
    recovered_from: int | None = None
    recovered_to: int | None = None
    worse: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of one instrument (domain 2)."""

    key: str
    version: str
    title: str
    about: str
    items: tuple[Item, ...]
    answers: tuple[Answer, ...]
    scoring: str
    multiplier: int
    missing_allowed: int
    bands: tuple[Band, ...]
    cutoff: int | None
    cutoff_adolescent: int | None
    higher_is_better: bool
    recall_days: int
    apart_days: int
    change: ChangeRules
    loinc_panel: str
    loinc_total: str
    credit: str
    licence: str
    is_enabled: bool
    minutes: int

    @property
    def highest(self) -> int:
        """The largest total."""
        return max(answer.value for answer in self.answers) * self.multiplier * len(self.counted)

    @property
    def counted(self) -> tuple[Item, ...]:
        """The items that the total is made of."""
        return tuple(item for item in self.items if item.in_total)

    def band_of(self, total: int) -> Band | None:
        """Return the band that a total falls into; None without bands."""
        return next((band for band in self.bands if band.least <= total <= band.most), None)

    def is_asked(self, item: Item, answers: Mapping[str, int | None]) -> bool:
        """Whether the flow asks an item after these answers."""
        return all(answers.get(key) == value for key, value in item.asked_if)


def read(raw: Mapping[str, Any]) -> Definition:
    """Return the definition that a file or a row holds; KeyError or TypeError where one is broken."""
    rest = {name: raw[name] for name in raw if name not in ("items", "answers", "bands", "change")}
    return Definition(
        **rest,
        items=tuple(
            Item(**{**one, "asked_if": tuple(sorted(one.get("asked_if", {}).items()))})
            for one in raw["items"]
        ),
        answers=tuple(Answer(**one) for one in raw["answers"]),
        bands=tuple(Band(**one) for one in raw["bands"]),
        change=ChangeRules(**raw["change"]),
    )


@cache
def packaged() -> dict[str, Definition]:
    """Return the newest packaged version of each instrument, by key."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json")))
    return {one.key: one for one in map(read, found)}


def raw_packaged() -> list[dict[str, Any]]:
    """Return the packaged files as they are, for the rows that keep them."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]


def raw_texts() -> list[dict[str, Any]]:
    """Return the packaged wordings, each of which may be reproduced without asking."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(TEXTS.glob("*.json"))]
