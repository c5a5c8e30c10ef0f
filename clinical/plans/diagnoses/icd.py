"""The table of ICD-10-CM codes in memory: validation and search; no person's data, no database.

The table is read once per process. A search goes over every billable code, so that what it costs doesn't
depend on what is typed.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "icd10cm_mental_health.csv"
MOST = 12
WORD = re.compile(r"[a-z0-9]+")
TOBACCO = "F17"
# What people type for what the table spells out; our own list.
SHORT = {
    "ptsd": "post traumatic", "mdd": "major depressive", "gad": "generalized anxiety",
    "adhd": "attention deficit", "ocd": "obsessive compulsive", "bpd": "borderline", "oud": "opioid",
    "aud": "alcohol", "grief": "disappearance death",
}  # fmt: skip

# Domain 6.1: what most services need, each a billable code.
STARTERS = (
    "F32.0", "F32.1", "F32.2", "F32.3", "F32.4", "F32.5", "F32.A", "F33.0", "F33.1", "F33.2", "F33.3",
    "F33.41", "F33.42", "F33.9", "F34.1", "F31.9", "F40.10", "F41.0", "F41.1", "F41.9", "F42.9", "F43.0",
    "F43.10", "F43.11", "F43.12", "F43.20", "F43.21", "F43.22", "F43.23", "F43.81", "F50.9", "F51.01",
    "F53.0", "F60.3", "F90.2", "F90.9", "F10.10", "F10.20", "F11.20", "F12.10", "F19.10", "F20.9", "F29",
    "R45.851", "R45.850", "R45.88", "T14.91XA", "Z91.51", "Z91.52", "Z56.0", "Z59.00", "Z59.41", "Z59.6",
    "Z60.2", "Z60.4", "Z62.810", "Z63.0", "Z63.4", "Z63.5", "Z65.3", "Z65.4", "Z69.11", "Z13.31", "Z13.39",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: its official title, whether it is billable (a leaf), and other words that it is known by."""

    code: str
    title: str
    billable: bool
    terms: str
    # Precomputed for the search: the code without its point, words with a space before each.
    plain: str
    words: str
    more: str


def _words(text: str) -> str:
    return " " + " ".join(WORD.findall(text.lower()))


@cache
def table() -> dict[str, Entry]:
    """Return every code of the table."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            row["code"]: Entry(
                code=row["code"],
                title=row["description"],
                billable=row["billable"] == "1",
                terms=row["inclusion_terms"],
                plain=row["code"].replace(".", "").lower(),
                words=_words(row["description"]),
                more=_words(row["inclusion_terms"]),
            )
            for row in csv.DictReader(lines)
        }


@cache
def _billable() -> tuple[Entry, ...]:
    return tuple(one for one in table().values() if one.billable)


def normal(code: str) -> str:
    """Return a code as the table writes it: upper case, with its point."""
    bare = code.strip().upper().replace(".", "").replace(" ", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare


def entry(code: str) -> Entry | None:
    """Return a code's entry however it was typed, or None."""
    return table().get(normal(code))


def children(code: str) -> list[Entry]:
    """Return the billable codes below a code that isn't billable itself."""
    stem = normal(code).replace(".", "").lower()
    return [one for one in _billable() if one.plain.startswith(stem)]


def search(asked: str, first: tuple[str, ...] = (), most: int = MOST) -> list[Entry]:
    """Return the billable codes that hold every word asked for (the beginning of a word will do), best first.

    A code that begins as asked comes first, then titles, then other words; `first` are codes that come before
    their equals: somebody's favourites.
    """
    typed = WORD.findall(asked.lower().replace(".", ""))[:8]
    if not typed:
        return []
    tokens = [token for one in typed for token in SHORT.get(one, one).split()]
    joined = "".join(tokens)
    whole = " " + " ".join(tokens)
    wanted = [" " + token for token in tokens]
    liked = set(first)
    found: list[tuple[int, int, int, str, Entry]] = []
    for one in _billable():
        if one.plain.startswith(joined):
            place = 0 if one.plain == joined else 1
        elif all(token in one.words for token in wanted):
            place = 2 if one.words.startswith(whole) else 3 if whole in one.words else 4
        elif all(token in one.words or token in one.more for token in wanted):
            place = 5
        else:
            continue
        length = len(one.title) if place > 1 else 0
        found.append((place, one.code not in liked, length, one.code, one))
    found.sort()
    return [row[-1] for row in found[:most]]


def is_part2(code: str) -> bool:
    """Whether a code speaks of substance use, tobacco left out (domain 7.4)."""
    stem = normal(code)[:3]
    return "F10" <= stem <= "F19" and stem != TOBACCO
