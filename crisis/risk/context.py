"""What stands around a matched phrase and takes it back: negation, other people, quotation, the past."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

# "anataka" (wants), but not "aliniacha" (left me): a verb that is done to the speaker doesn't govern.
_THIRD_VERB = re.compile(r"(?!wanao)(?:wa|a)(?:na|li|ta|me|nge|ka)(?!ni)[a-z]{2,20}")
_FIRST_VERB = re.compile(r"(?:ni|na|nta|naji|niji)[a-z]{2,24}")

NEGATED = "negated"
THIRD_PERSON = "third_person"
QUOTED = "quoted"
PAST_ONLY = "past_only"
IDIOM = "idiom"
_WINDOW = 8


@dataclass(frozen=True)
class Around:
    """A match in its sentence: the words before, the matched words, the words after; and all that follows."""

    before: Sequence[str]
    match: Sequence[str]
    after: Sequence[str]
    beyond: str = ""

    @property
    def is_first_person(self) -> bool:
        """Whether the match itself names the speaker."""
        return any(word in _OWN or _FIRST_VERB.fullmatch(word) for word in self.match)


_OWN = frozenset({"i", "im", "ive", "id", "ill", "my", "myself", "me", "imma", "ima"})


@dataclass(frozen=True)
class Context:
    """The word lists that the checks use; they are data of the lexicon."""

    words: Mapping[str, frozenset[str]]
    phrases: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read the lists; a missing one is a KeyError when the lexicon loads, never later."""
        names = (
            "negators", "negators_close", "negators_before_noun", "nouns", "bridges", "after_think", "why",
            "first", "you", "third", "concern", "says", "says_bridge", "told_to", "titles", "title_bridge",
            "past_verbs", "now_marks", "present", "professionals", "inner", "owners", "third_forms",
            "third_bridge", "takes_object", "articles", "past_helpers",
        )  # fmt: skip
        lists = ("past_marks", "now_phrases", "ongoing", "over", "undone", "agreement")
        return cls(
            {name: frozenset(words_of(raw[name])) for name in names},
            {name: tuple(f" {phrase} " for phrase in raw[name]) for name in lists},
        )

    def _says(self, name: str, text: str) -> bool:
        return any(phrase in text for phrase in self.phrases[name])

    def is_negated(self, around: Around) -> bool:
        """Whether a negator governs the match, with nothing but helper words between."""
        words = self.words
        before = around.before[-_WINDOW:]
        for distance, word in enumerate(reversed(before)):
            index = len(before) - 1 - distance
            left = before[index - 1] if index else ""
            if word in words["negators"] or word in words["negators_close"]:
                if self._says("undone", f" {' '.join(before[max(0, index - 4) : index + 1])} "):
                    return False
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
        """Who a match without a speaker is about: "concern" (somebody known), "third", "you", or "".

        Somebody governs the match only with helper words between ("my sister keeps feeling suicidal"), or
        from further off through a verb in their form ("my cousin in Embu is suicidal"). Whoever is only named
        before it doesn't ("my wife left me for him, suicidal thoughts all day"): then the speaker speaks.
        """
        words = self.words
        before = around.before[-_WINDOW:]
        is_their_verb = False
        for index in range(len(before) - 1, -1, -1):
            word = before[index]
            left = next((each for each in reversed(before[:index]) if each not in words["articles"]), "")
            if word in words["owners"] and (left in words["third"] or left in words["concern"]):
                continue
            kind = self._person(word)
            if kind and (is_their_verb or left not in words["takes_object"]):
                return kind
            if kind or word in words["first"]:
                return ""
            if word in words["third_forms"]:
                is_their_verb = True
            elif not is_their_verb and word not in words["third_bridge"]:
                return ""
        return ""

    def _person(self, word: str) -> str:
        if word in self.words["concern"] or _THIRD_VERB.fullmatch(word):
            return "concern"
        if word in self.words["third"]:
            return "third"
        return "you" if word in self.words["you"] else ""

    def is_quoted(self, around: Around) -> bool:
        """Whether somebody else is reported (no clinician, no voices), or a song or a film is named.

        Words that the speaker agrees with or acted on are their own: "she said I should, and she is right".
        """
        return self._is_reported(around.before[-_WINDOW:]) and not self._says("agreement", around.beyond)

    def _is_reported(self, before: Sequence[str]) -> bool:
        words = self.words
        if not words["inner"].isdisjoint(before):
            return False
        if len(before) > 2 and before[-1] == "to" and before[-2] == "me" and before[-3] in words["told_to"]:
            return True
        for index in range(len(before) - 1, -1, -1):
            rest = before[index + 1 :]
            if before[index] in words["says"] and words["says_bridge"].issuperset(rest):
                return self._says_other(before[:index])
            if (
                before[index] in words["titles"]
                and rest
                and all(word in words["title_bridge"] for word in rest)
            ):
                return True
        return False

    def _says_other(self, speakers: Sequence[str]) -> bool:
        for word in reversed(speakers[-4:]):
            if word in self.words["professionals"]:
                return False
            if word in self.words["third"]:
                return True
            if word in self.words["first"] and word != "my" and word not in self.words["owners"]:
                return False
        return True

    def is_past(self, around: Around) -> bool:
        """Whether the sentence is about long ago only: a past verb, a mark of the past, nothing of today."""
        words = self.words
        near = [*around.before[-5:], *around.match]
        sentence = [*around.before, *around.match, *around.after]
        if words["now_marks"].intersection(sentence) or self._is_present(near):
            return False
        joined = f" {' '.join(sentence)} "
        if self._says("now_phrases", joined) or not self._says("past_marks", joined):
            return False
        # "years ago I was happy, I have been planning it" is now; "I have been suicidal in the past" is not
        if self._says("ongoing", joined) and not self._says("over", joined):
            return False
        return bool(words["past_verbs"].intersection(near)) or any(word.startswith("nili") for word in near)

    def _is_present(self, near: Sequence[str]) -> bool:
        """Whether a verb stands in the present; "was going to" and "nilikuwa nafikiria" don't."""
        return any(
            word in self.words["present"] and left not in self.words["past_helpers"]
            for left, word in zip(["", *near], near, strict=False)
        )


def words_of(listed: str | Sequence[str]) -> list[str]:
    """The words of a list in the data: one string, or several where it takes several lines."""
    return (listed if isinstance(listed, str) else " ".join(listed)).split()
