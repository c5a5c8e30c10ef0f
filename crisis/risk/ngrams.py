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

    Each bucket stands once per text, in rising order; a text without words has none.
    """

    starts: Ints
    buckets: Ints

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
    words = [_shortened(text) for text in texts]
    of_words, of_letters = _of_words(words), _of_letters(words)
    rows = np.concatenate([of_words[0], of_letters[0]])
    hashes = np.concatenate([of_words[1], of_letters[1]])
    # Sorted and cut by hand: np.unique hashes first, which takes four times as long here.
    keys = np.sort((rows << BITS) | _buckets(hashes))
    keys = keys[np.append(keys[:-1] != keys[1:], True)] if len(keys) else keys
    starts = np.searchsorted(keys, np.arange(len(texts) + 1, dtype=np.int64) << BITS)
    return Grams(starts.astype(np.int64), keys & (BUCKETS - 1))


def _shortened(words: Sequence[str]) -> Sequence[str]:
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
