"""Compiles the lexicon's small pattern language into linear regular expressions over folded words.

A pattern is words with spaces between: `a|b` either word, `a_b` two words in a place where one stands,
`{NAME}` any phrase of a class, `x?` a word that may be missing, `~2` up to two words of any kind but
negators, `^` and `$` the start and end of a sentence (`x|$`: x, or the end). Nothing reaches across the end
of a sentence. A space always ends an alternative: `last|a few` asks for "few" after both. Such a pattern
is dead in silence, so a lone last word after alternatives is refused unless it is marked: `last|a +few`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import cached_property

# Every word of the folded text stands between two spaces of its own: " kill  myself ". What lies between two
# parts of a pattern is never a negator: "im not suicidal" must be read as "suicidal", negated.
_ANY = " (?!(?:not|never|no|dont|wont|isnt|didnt|aint|sio|si|but|lakini) )[^ .]+ "
_END = r"(?= \. |$)"


class PatternError(ValueError):
    """A pattern of the lexicon that can't be read; it names the pattern."""


@dataclass(frozen=True, slots=True)
class _Part:
    phrases: tuple[str, ...]
    optional: bool = False
    gap: int = 0
    end: bool = False
    start: bool = False


@dataclass(frozen=True)
class Pattern:
    """One pattern that was read, the words that must be there too in some form, and those that call it up."""

    parts: tuple[_Part, ...]
    needs: tuple[frozenset[str], ...]
    anchor: frozenset[str]

    # Not functools', which computes all patterns of a process under one lock.
    @cached_property
    def search(self) -> re.Pattern[str]:
        """The regular expression, compiled when a text calls it up, or soon after a process began.

        All of them take a second and more. It can't be a wrong one: its letters are escaped, and what stands
        between them is written below.
        """
        return re.compile("".join(_regex(part) for part in self.parts))


def compile_pattern(
    source: str, classes: Mapping[str, Sequence[str]], frequency: Mapping[str, int], known: set[str]
) -> Pattern:
    """Read one pattern; words of high `frequency` make poor anchors; its words are added to `known`."""
    parts = [_part(piece, source, classes) for piece in source.split()]
    for part in parts:
        for phrase in part.phrases:
            known.update(phrase.split())
    _refuse_split_phrase(source)
    needed = [part for part in parts if part.phrases and not (part.optional or part.end)]
    if not needed:
        raise PatternError(f"{source!r} needs at least one word that must be there")
    needs = [frozenset(_rarest(phrase, frequency) for phrase in part.phrases) for part in needed]
    anchor = min(needs, key=lambda words: sum(frequency.get(word, 1) for word in words))
    others = tuple(words for words in needs if words is not anchor)
    return Pattern(tuple(parts), others, anchor)


def expand_classes(raw: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Resolve classes that name classes: an item `{OTHER}` or `nita{STEM}` (glued)."""
    done: dict[str, tuple[str, ...]] = {}

    def resolve(name: str, seen: tuple[str, ...] = ()) -> tuple[str, ...]:
        if name in seen or name not in raw:
            raise PatternError(f"class {name!r} is unknown or names itself")
        if name not in done:
            phrases = [phrase for item in raw[name] for phrase in expand(item, (*seen, name))]
            done[name] = tuple(dict.fromkeys(phrases))
        return done[name]

    def expand(item: str, seen: tuple[str, ...]) -> list[str]:
        made = [""]
        for piece in re.split(r"(\{[A-Z_0-9]+\})", item):
            options = resolve(piece[1:-1], seen) if piece.startswith("{") else (piece,)
            made = [front + option for front in made for option in options]
        return made

    for name in raw:
        resolve(name)
    return done


def _rarest(phrase: str, frequency: Mapping[str, int]) -> str:
    return min(phrase.split(), key=lambda word: (frequency.get(word, 1), -len(word), word))


def _refuse_split_phrase(source: str) -> None:
    pieces = source.split()
    if len(pieces) > 1 and "|" in pieces[-2] and not set("|{~?$+").intersection(pieces[-1]):
        raise PatternError(
            f"{source!r} splits its last alternative: write a_b for one phrase, +b if it is meant"
        )


def _part(piece: str, source: str, classes: Mapping[str, Sequence[str]]) -> _Part:
    if piece == "^":
        return _Part((), start=True)
    if piece.startswith("~"):
        return _Part((), gap=int(piece[1:]))
    optional = piece.endswith("?")
    phrases: list[str] = []
    for option in piece.lstrip("+").rstrip("?").split("|"):
        if option.startswith("{"):
            name = option[1:-1]
            if name not in classes:
                raise PatternError(f"{source!r} names the unknown class {name!r}")
            phrases += classes[name]
        elif option != "$":
            phrases.append(option.replace("_", " "))
    if not all(phrases):
        raise PatternError(f"{source!r} holds an empty word")
    return _Part(tuple(phrases), optional=optional, end="$" in piece.split("|"))


def _regex(part: _Part) -> str:
    if part.start:
        return r"(?<![^.] )"
    if part.gap:
        return f"(?:{_ANY}){{0,{part.gap}}}?"
    if not part.phrases:
        return _END
    words = _either([f" {phrase.replace(' ', '  ')} " for phrase in part.phrases])
    if part.end:
        return f"(?:{words}|{_END})"
    return f"(?:{words})?" if part.optional else words


def _either(phrases: Iterable[str]) -> str:
    """One of some phrases, as a tree of their letters: a word that fits none fails at its first letters."""
    branches: dict[str, list[str]] = {}
    for phrase in dict.fromkeys(phrases):
        branches.setdefault(phrase[:1], []).append(phrase[1:])
    options = [re.escape(letter) + _either(rests) for letter, rests in branches.items() if letter]
    if "" in branches:
        options.append("")  # the shorter of two phrases comes last, so that the longer one is tried first
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"
