"""Turns the words of many texts at once into hashed n-grams of words and letters; pure, keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

BITS = 18
BUCKETS = 1 << BITS
LETTERS = (3, 4, 5)
MOST_WORDS = 2000
"""Words of one text that are read: beyond, a text is its first half and its last half of these."""

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(1099511628211)
_FOLD = np.uint64(32)
_SHIFT = np.uint64(64 - BITS)

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Grams:
    """The different n-grams of texts: `starts[i]` is where text i begins in `buckets` (0 to BUCKETS - 1).

    Each bucket stands once per text, in rising order, with how often it is there; no words, no buckets.
    """

    starts: Ints
    buckets: Ints
    numbers: Ints

    @property
    def sizes(self) -> Ints:
        """How many different n-grams each text has."""
        return np.diff(self.starts)

    @property
    def rows(self) -> Ints:
        """The number of the text of each bucket."""
        return np.repeat(np.arange(len(self.starts) - 1), self.sizes)


def grams_of(texts: Sequence[Sequence[str]]) -> Grams:
    """The n-grams of texts that come as their normalised words: words 1-2 and letters 3-5, across words."""
    words = [shortened(text) for text in texts]
    of_words, of_letters = _of_words(words), _of_letters(words)
    rows = np.concatenate([of_words[0], of_letters[0]])
    hashes = np.concatenate([of_words[1], of_letters[1]])
    return once(counted(rows, _buckets(hashes), len(texts)))


def counted(rows: Ints, buckets: Ints, texts: int) -> Grams:
    """The buckets of each of so many texts, with how often each is there."""
    # Sorted and cut by hand: np.unique hashes first, which takes four times as long here.
    keys = np.sort((rows << BITS) | buckets)
    ends = np.append(keys[:-1] != keys[1:], True).nonzero()[0] if len(keys) else np.zeros(0, dtype=np.int64)
    keys = keys[ends]
    starts = np.searchsorted(keys, np.arange(texts + 1, dtype=np.int64) << BITS)
    return Grams(starts.astype(np.int64), keys & (BUCKETS - 1), np.diff(ends, prepend=-1))


def once(grams: Grams) -> Grams:
    """The same n-grams, each of them counting once however often it is there."""
    return Grams(grams.starts, grams.buckets, np.ones_like(grams.buckets))


def together(grams: Grams, owners: Ints, count: int) -> Grams:
    """The n-grams of so many owners: those of all texts of an owner, with their numbers added up."""
    rows = np.repeat(owners[grams.rows], grams.numbers)
    return counted(rows, np.repeat(grams.buckets, grams.numbers), count)


def shortened(words: Sequence[str]) -> Sequence[str]:
    """The words that are read of a text: all of them, or its first and last MOST_WORDS / 2."""
    if len(words) <= MOST_WORDS:
        return words
    half = MOST_WORDS // 2
    return [*words[:half], *words[-half:]]


def _buckets(hashes: Hashes) -> Ints:
    mixed = (hashes ^ (hashes >> _FOLD)) * _PRIME
    mixed = (mixed ^ (mixed >> _FOLD)) * _PRIME
    return (mixed >> _SHIFT).astype(np.int64)


def _of_words(texts: Sequence[Sequence[str]]) -> tuple[Ints, Hashes]:
    sizes = np.array([len(words) for words in texts], dtype=np.int64)
    rows = np.repeat(np.arange(len(texts)), sizes)
    one = np.fromiter(
        (crc32(word.encode()) for words in texts for word in words), dtype=np.uint64, count=int(sizes.sum())
    )
    together = rows[1:] == rows[:-1]
    two = (one[:-1] * _STEP + one[1:] + np.uint64(1))[together]
    return np.concatenate([rows, rows[1:][together]]), np.concatenate([one * _STEP, two * _STEP])


def _of_letters(texts: Sequence[Sequence[str]]) -> tuple[Ints, Hashes]:
    lines = [f" {' '.join(words)} ".encode() for words in texts]
    sizes = np.array([len(line) for line in lines], dtype=np.int64)
    rows = np.repeat(np.arange(len(lines)), sizes)
    letters = np.frombuffer(b"".join(lines), dtype=np.uint8).astype(np.uint64)
    found_rows: list[Ints] = []
    found: list[Hashes] = []
    for size in LETTERS:
        if len(letters) < size:
            continue
        last = len(letters) - size + 1
        hashes = np.full(last, size, dtype=np.uint64)
        for place in range(size):
            hashes = hashes * _STEP + letters[place : place + last]
        inside = rows[:last] == rows[size - 1 :]
        found_rows.append(rows[:last][inside])
        found.append(hashes[inside])
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    return np.concatenate(found_rows), np.concatenate(found)
