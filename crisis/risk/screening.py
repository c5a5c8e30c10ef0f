"""What a screened text shows, and the entries of the lexicon that show it; codes only, no matching here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .policy import POLICY

ORDER = ("A", "B", "SH", "V", "C", "D", "")
"""Tiers from the most serious; the empty one stands for entries without a tier."""


@dataclass(frozen=True)
class Entry:
    """One entry of the lexicon as data; `signed_by` is empty until two clinicians signed it."""

    id: str
    role: str
    tier: str
    language: str
    patterns: tuple[str, ...]
    cues: tuple[str, ...] = ()
    note: str = ""
    signed_by: tuple[str, ...] = ()
    bare: bool = False
    self_negated: bool = False
    act: bool = False
    attempt: bool = False
    courtesy: bool = False
    conditional: str = ""


class Hit(NamedTuple):
    """An entry that a text matched; with any flag it is no tier evidence."""

    entry: str
    tier: str
    language: str
    cues: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether nothing around the phrase takes it back."""
        return not self.flags


class Screening(NamedTuple):
    """What one text showed, in codes; nothing in it can be read back into words."""

    hits: tuple[Hit, ...] = ()
    cues: tuple[str, ...] = ()
    deflections: tuple[str, ...] = ()
    third_party_concern: bool = False
    past_attempt: bool = False
    suggests_phq9: bool = False
    languages: Mapping[str, float] = {}
    language_confidence: float = 0.0
    lexicon_version: str = ""

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that count, most serious first."""
        found = {hit.tier for hit in self.hits if hit.counts and hit.tier}
        return tuple(tier for tier in ORDER if tier in found)

    @property
    def language_uncertain(self) -> bool:
        """Whether the language was hardly recognised; the tiers count all the same."""
        return self.language_confidence < POLICY.language_min_confidence

    @property
    def is_flagged(self) -> bool:
        """Whether the text needs the engine: a tier, a threat, or worry about somebody else."""
        return bool(self.tiers or self.third_party_concern or "HARM_TO_OTHERS" in self.cues)


def joined(first: Screening, second: Screening) -> Screening:
    """Both readings of a text with hidden characters, joined: what either shows counts."""
    hits = {(hit.entry, hit.flags): hit for hit in (*second.hits, *first.hits)}
    return first._replace(
        hits=tuple(sorted(hits.values(), key=lambda hit: (ORDER.index(hit.tier), hit.entry, hit.flags))),
        cues=tuple(sorted({*first.cues, *second.cues})),
        deflections=tuple(sorted({*first.deflections, *second.deflections})),
        third_party_concern=first.third_party_concern or second.third_party_concern,
        past_attempt=first.past_attempt or second.past_attempt,
        suggests_phq9=first.suggests_phq9 or second.suggests_phq9,
    )
