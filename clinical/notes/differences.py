"""How two texts differ, word by word, and what a version keeps beside its texts: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from difflib import SequenceMatcher
from typing import Any

WORDS = re.compile(r"\s+|[^\s]+")
# Beyond so many words the whole text is shown as replaced: comparing would take seconds.
MOST_WORDS = 6_000
# What a version keeps of a note beside its texts, under the names that the page says.
FACTS = {
    "occurred_at": "Contact",
    "follow_up_on": "Next contact on",
    "diagnoses": "About",
    "labels": "Sensitivity",
}


def differences(before: str, after: str) -> list[tuple[str, str]]:
    """Return pieces of (`same`, `gone` or `new`, text) that lead from one text to the other."""
    if before == after:
        return [("same", before)] if before else []
    old, new = WORDS.findall(before), WORDS.findall(after)
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        return [piece for piece in (("gone", before), ("new", after)) if piece[1]]
    pieces: list[tuple[str, str]] = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(old[old_from:old_to])))
            continue
        if old_to > old_from:
            pieces.append(("gone", "".join(old[old_from:old_to])))
        if new_to > new_from:
            pieces.append(("new", "".join(new[new_from:new_to])))
    return pieces


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Return the differences of those sections that differ, by name."""
    names = [*after, *(name for name in before if name not in after)]
    pairs = {name: (before.get(name, ""), after.get(name, "")) for name in names}
    return {name: differences(*pair) for name, pair in pairs.items() if pair[0] != pair[1]}


def kept_facts(*, occurred_at: Any, follow_up_on: Any, diagnoses: Any, labels: Any) -> dict[str, str]:
    """Return what a note says beside its texts, as a version keeps it: a text by name, like a section."""
    return {
        "occurred_at": occurred_at.astimezone(UTC).isoformat(),
        "follow_up_on": str(follow_up_on or ""),
        "diagnoses": " ".join(sorted(map(str, diagnoses))),
        "labels": " ".join(sorted(labels)),
    }


def apart(kept: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of a version, and its facts; a version of before facts were kept has none."""
    texts = {name: text for name, text in kept.items() if name not in FACTS}
    return texts, {name: text for name, text in kept.items() if name in FACTS}
