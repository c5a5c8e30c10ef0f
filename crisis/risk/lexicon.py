"""The compiled lexicon: screens a text for tiers, cues and deflections in codes, never words (domain 4.6)."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

from .context import Context, words_of
from .normalise import END, LINE, Spelling, has_second_reading, tokens_of
from .patterns import PatternError, compile_pattern, expand_classes
from .policy import POLICY
from .reader import Reader, Rule, cues_of
from .screening import ORDER, Entry, Hit, Screening, joined
from .slips import Slips

__all__ = ["FOLDER", "Entry", "Hit", "Lexicon", "Screening", "lexicon", "packaged"]

# The version that is in force where nobody named another one (crisis.risk.lexicons).
FOLDER = "lexicon_v1"

ROLES = frozenset({"tier", "cue", "threat", "third_party", "deflection", "idiom", "exclusion"})


class Lexicon:
    """A compiled version of the lexicon; it keeps no text and is safe to share."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        """Compile `raw`; PatternError or KeyError names what can't be read."""
        self.languages = tuple(raw["languages"])
        self.checksum = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
        # The checksum is part of the name, so that evidence always names the very entries that it came from.
        self.version = f"{raw['version']}+{self.checksum[:8]}"
        self.entries = tuple(_entry(row) for row in raw["entries"])
        self.signed = all(len(entry.signed_by) > 1 for entry in self.entries)
        self._known = {name: frozenset(words_of(words)) for name, words in raw["function_words"].items()}
        self._context = Context.of(raw["context"])
        frequency = {word: 8 for words in self._known.values() for word in words}
        frequency |= dict.fromkeys(words_of(raw["very_common"]), 200)
        classes = expand_classes(raw["classes"])
        words: set[str] = set()
        rules = [
            Rule(entry, compile_pattern(source, classes, frequency, words))
            for entry in self.entries
            for source in entry.patterns
        ]
        self._by_word: dict[str, list[int]] = {}
        self._rules = rules
        for number, rule in enumerate(rules):
            for word in rule.pattern.anchor:
                self._by_word.setdefault(word, []).append(number)
        self._spelling = Spelling(
            words=frozenset(words),
            short_forms=raw["short_forms"],
            censored={word: re.compile(shape) for word, shape in raw["censored"].items()},
            pictures=raw["pictures"],
            slips=Slips.of(raw["slips"], {*words, *frequency, *raw["short_forms"]}),
        )

    def screen(self, text: str, *, turn: int | None = None, greeted: bool | None = None) -> Screening:
        """Screen one text of any length in linear time; never raises for any string.

        `turn` counts the person's texts in the conversation from 1, `greeted` says that this one answers a
        greeting: a courtesy "niko sawa" in the first two turns is no deflection.
        """
        found = self._screen(tokens_of(text, self._spelling), turn, greeted)
        if has_second_reading(text, self._spelling):
            other = self._screen(tokens_of(text, self._spelling, second=True), turn, greeted)
            found = joined(found, other)
        return found

    def patterns(self) -> Iterator[re.Pattern[str]]:
        """Return every pattern's expression, each compiled when it is asked for, unless it was before."""
        return (rule.pattern.search for rule in self._rules)

    def words(self, text: str) -> list[str]:
        """The words of a text as the lexicon folds them (crisis.risk.normalise), for others to read."""
        return tokens_of(text, self._spelling)

    def _screen(self, tokens: list[str], turn: int | None, greeted: bool | None) -> Screening:
        words = set(tokens)
        languages, confidence = self._languages(words)
        called = self._by_word.keys() & words
        rules = self._called(called, words) if called else []
        found = Screening()
        if rules:
            courtesy = self._is_courtesy(tokens, turn, greeted)
            # A new line ends a clause ("I am not / kill myself tonight"), but a phrase may go on below it.
            found = self._read([END if token == LINE else token for token in tokens], rules, courtesy)
            if LINE in words:
                found = joined(
                    found, self._read([token for token in tokens if token != LINE], rules, courtesy)
                )
        return found._replace(
            languages=languages, language_confidence=confidence, lexicon_version=self.version
        )

    def _read(self, tokens: list[str], rules: list[Rule], courtesy: bool) -> Screening:
        reader = Reader(tokens, self._context)
        hits = reader.hits(rules)
        return Screening(
            hits=hits,
            cues=cues_of(hits, reader.cue_entries),
            deflections=tuple(sorted({e.id for e in reader.deflections if not (courtesy and e.courtesy)})),
            third_party_concern=reader.third_party,
            past_attempt=reader.past_attempt,
            suggests_phq9=reader.idiom,
        )

    def _called(self, called: Iterable[str], words: set[str]) -> list[Rule]:
        """The rules whose needed words are all there in some form; the hot path, so it stays a plain loop."""
        numbers: set[int] = set()
        for word in called:
            numbers.update(self._by_word[word])
        rules = []
        for number in sorted(numbers):
            rule = self._rules[number]
            for need in rule.pattern.needs:
                if need.isdisjoint(words):
                    break
            else:
                rules.append(rule)
        return rules

    def _languages(self, words: set[str]) -> tuple[dict[str, float], float]:
        known = {name: len(words & own) for name, own in self._known.items()}
        total = sum(known.values())
        if not total:
            return {}, 0.0
        shares = {name: round(count / total, 2) for name, count in known.items() if count}
        return shares, min(1.0, 2 * total / len(words))

    @staticmethod
    def _is_courtesy(tokens: list[str], turn: int | None, greeted: bool | None) -> bool:
        return turn is not None and turn <= POLICY.courtesy_turns and greeted is not False and len(tokens) < 9


def _entry(row: Mapping[str, Any]) -> Entry:
    if row["role"] not in ROLES or row["tier"] not in ORDER:
        raise PatternError(f"entry {row['id']!r} has an unknown role or tier")
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return Entry(**fields)


def packaged(folder: str = FOLDER) -> dict[str, Any]:
    """The data that ships with the package, its files joined: by language, so that each can be read whole.

    A class or a setting that stands in two files is an error, as one of the two would be lost in silence.
    """
    raw: dict[str, Any] = {"entries": [], "classes": {}}
    files = resources.files(__package__).joinpath(folder).iterdir()
    for file in sorted(files, key=lambda each: each.name):
        part = json.loads(file.read_text("utf-8"))
        raw["entries"] += part.pop("entries", [])
        for target, found in ((raw["classes"], part.pop("classes", {})), (raw, part)):
            if twice := target.keys() & found.keys():
                raise PatternError(f"{file.name} says again: {', '.join(sorted(twice))}")
            target.update(found)
    return raw


@functools.cache
def lexicon() -> Lexicon:
    """The package's own lexicon, read once per process."""
    return Lexicon(packaged())
