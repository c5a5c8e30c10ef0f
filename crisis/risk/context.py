"""What stands around a matched phrase and takes it back: negation, other people, quotation, the past."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

_THIRD_VERB = re.compile(r"(?:wa|a)(?:na|li|ta|me|nge|ka)[a-z]{2,20}")
_FIRST_VERB = re.compile(r"(?:ni|na|nta|naji|niji)[a-z]{2,24}")

NEGATED = "negated"
THIRD_PERSON = "third_person"
QUOTED = "quoted"
PAST_ONLY = "past_only"
IDIOM = "idiom"
_WINDOW = 8


@dataclass(frozen=True)
class Around:
    """A match in its sentence: the words before, the matched words, the words after."""

    before: Sequence[str]
    match: Sequence[str]
    after: Sequence[str]

    @property
    def is_first_person(self) -> bool:
        """Whether the match itself names the speaker."""
        return any(word in _OWN or _FIRST_VERB.fullmatch(word) for word in self.match)


_OWN = frozenset({"i", "im", "ive", "id", "ill", "my", "myself", "me", "imma", "ima"})


@dataclass(frozen=True)
class Context:
    """The word lists that the checks use; they are data of the lexicon."""

    words: Mapping[str, frozenset[str]]
    past_marks: tuple[str, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read the lists; a missing one is a KeyError when the lexicon loads, never later."""
        names = (
            "negators", "negators_close", "negators_before_noun", "nouns", "bridges", "after_think", "why",
            "first", "you", "third", "concern", "says", "says_bridge", "told_to", "titles", "title_bridge",
            "past_verbs", "now_marks", "present", "professionals", "inner",
        )  # fmt: skip
        words = {name: frozenset(raw[name].split()) for name in names}
        return cls(words, tuple(f" {mark} " for mark in raw["past_marks"]))

    def is_negated(self, around: Around) -> bool:
        """Whether a negator governs the match, with nothing but helper words between."""
        words = self.words
        before = around.before[-_WINDOW:]
        for distance, word in enumerate(reversed(before)):
            index = len(before) - 1 - distance
            left = before[index - 1] if index else ""
            if word in words["negators"] or word in words["negators_close"]:
                return self._governs(word, left, distance, around)
            if word in words["negators_before_noun"]:
                right = before[index + 1] if distance else around.match[0]
                return right in words["nouns"]
            if word in words["first"]:
                if left not in words["after_think"]:
                    return False
            elif word not in words["bridges"] and word not in words["after_think"]:
                return False
        return False

    def _governs(self, word: str, left: str, distance: int, around: Around) -> bool:
        if left in self.words["why"]:
            return False
        if distance and word not in self.words["negators"]:
            return False
        # "of course not. im going to ...": a bare negator before a new clause denies something else
        return bool(distance) or around.match[0] not in self.words["first"]

    def subject(self, around: Around) -> str:
        """Who a match without a speaker is about: "concern" (somebody known), "third", "you", or ""."""
        for word in reversed(around.before[-6:]):
            if word in self.words["first"]:
                return ""
            if word in self.words["concern"] or _THIRD_VERB.fullmatch(word):
                return "concern"
            if word in self.words["third"]:
                return "third"
            if word in self.words["you"]:
                return "you"
            if _FIRST_VERB.fullmatch(word) and word not in self.words["bridges"]:
                return ""
        return ""

    def is_quoted(self, around: Around) -> bool:
        """Whether somebody else is reported (no clinician, no voices), or a song or a film is named."""
        words = self.words
        before = list(around.before[-_WINDOW:])
        if not words["inner"].isdisjoint(before):
            return False
        if len(before) > 2 and before[-1] == "to" and before[-2] == "me" and before[-3] in words["told_to"]:
            return True
        for index in range(len(before) - 1, -1, -1):
            rest = before[index + 1 :]
            if before[index] in words["says"] and all(word in words["says_bridge"] for word in rest):
                return self._says_other(before[:index])
            if before[index] in words["titles"] and any(word in words["title_bridge"] for word in rest):
                return len(rest) < 4
        return False

    def _says_other(self, speakers: Sequence[str]) -> bool:
        for word in reversed(speakers[-4:]):
            if word in self.words["professionals"]:
                return False
            if word in self.words["third"]:
                return True
            if word in self.words["first"] and word != "my":
                return False
        return True

    def is_past(self, around: Around) -> bool:
        """Whether the sentence is about long ago only: a past verb, a mark of the past, nothing of today."""
        words = self.words
        near = [*around.before[-5:], *around.match]
        sentence = [*around.before, *around.match, *around.after]
        if words["present"].intersection(near) or words["now_marks"].intersection(sentence):
            return False
        joined = f" {' '.join(sentence)} "
        if not any(mark in joined for mark in self.past_marks):
            return False
        return bool(words["past_verbs"].intersection(near)) or any(word.startswith("nili") for word in near)
