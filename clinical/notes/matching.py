"""Whether a text holds what somebody looks for, and the words around it: pure, in memory alone."""

from __future__ import annotations

import unicodedata

AROUND = 70


def folded(text: str) -> str:
    """Return a text without case and accents, of the same length as its composed form."""
    if text.isascii():  # most of them, and a hundred times as fast
        return text.lower()
    out = []
    for sign in unicodedata.normalize("NFC", text):
        base = unicodedata.normalize("NFD", sign)[0].casefold()
        out.append(base if len(base) == 1 else sign)
    return "".join(out)


def wanted(asked: str) -> list[str]:
    """Return the words that somebody asked for."""
    return [folded(word) for word in asked.split()]


def excerpt(text: str, words: list[str]) -> list[tuple[bool, str]] | None:
    """Return (is it a hit, text) around the first of these words; None unless the text holds them all."""
    plain = unicodedata.normalize("NFC", text)
    low = folded(plain)
    places = [low.find(word) for word in words]
    if not words or min(places) < 0:
        return None
    first = min(places)
    length = max(len(word) for word, place in zip(words, places, strict=True) if place == first)
    start, end = max(first - AROUND, 0), min(first + length + AROUND, len(plain))
    before = ("… " if start else "") + plain[start:first]
    after = plain[first + length : end] + (" …" if end < len(plain) else "")
    return [(False, before), (True, plain[first : first + length]), (False, after)]
