"""Reads words of the lexicon that were typed with one slip or hidden by one: siucide, s*icide, sui cide.

A slip is a letter left out, typed twice, changed places with its neighbour or starred, or a space in a word.
Which words are read so, some of them only beside others, and which slips are words of their own is data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

_SHORTEST = 3


@dataclass(frozen=True)
class Slips:
    """The slips that are read, by form and by halves; what calls the reading; what must stand beside them."""

    forms: Mapping[str, str]
    halves: Mapping[tuple[str, str], str]
    callers: frozenset[str]
    before: Mapping[str, frozenset[str]]
    after: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, raw: Mapping[str, Any], known: Collection[str]) -> Self:
        """Make the slips of the data's words; a form that is `known` or listed as `none` is itself."""
        before = {word: frozenset(beside.split()) for word, beside in raw["before"].items()}
        after = {word: frozenset(beside.split()) for word, beside in raw["after"].items()}
        words = [*" ".join(raw["anywhere"]).split(), *before, *after]
        refused = {*known, *raw["none"]}
        forms = {form: word for word in words for form in slips_of(word) if form not in refused}
        halves = {
            (word[:at], word[at:]): word
            for word in words
            for at in range(1, len(word))
            if f"{word[:at]} {word[at:]}" not in refused
        }
        # The longer half is the rarer word: "comm it" is looked for where "comm" is.
        callers = frozenset(head if len(head) > len(tail) else tail for head, tail in halves)
        return cls(forms, halves, callers | forms.keys(), before, after)

    def read(self, tokens: list[str]) -> list[str]:
        """The words of a text with its slips read; the very list where there is none. One look at each."""
        if self.callers.isdisjoint(tokens):
            return tokens
        read: list[str] = []
        at = 0
        while at < len(tokens):
            left = read[-1] if read else ""
            whole = self.halves.get((tokens[at], tokens[at + 1])) if at + 1 < len(tokens) else None
            if whole and self._fits(whole, left, tokens[at + 2 : at + 3]):
                read.append(whole)
                at += 2
                continue
            word = self.forms.get(tokens[at])
            fits = word and self._fits(word, left, tokens[at + 1 : at + 2])
            read.append(word if word and fits else tokens[at])
            at += 1
        return read

    def _fits(self, word: str, left: str, right: Iterable[str]) -> bool:
        if word in self.before and self.before[word].isdisjoint(right):
            return False
        return word not in self.after or left in self.after[word]


def slips_of(word: str) -> Iterator[str]:
    """Each form of a word with one slip. The first letter is never left out: it tells Swahili's persons."""
    for at, letter in enumerate(word):
        head, tail = word[:at], word[at + 1 :]
        slips = [f"{head}{letter}{letter}{tail}", f"{head}*{tail}"]
        slips += [f"{head}{tail}"] if at else []
        slips += [f"{head}{tail[0]}{letter}{tail[1:]}"] if tail else []
        yield from (slip for slip in slips if len(slip) >= _SHORTEST and slip != word)
