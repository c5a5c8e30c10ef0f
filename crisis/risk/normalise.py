"""Folds what people type into plain words to match on (domain 4.6); the folded words never leave memory."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

END = "."
"""The token that stands for the end of a sentence; no pattern reaches across it."""

_HOMOGLYPHS = dict(
    zip("асеіјорѕухһԁɡαεικνορτυχ", "aceijopsyxhdgaeiknoptux", strict=True)  # Cyrillic and Greek
)
_TYPOGRAPHY = {"’": "", "‘": "", "ʼ": "", "′": "", "´": "", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
               "…": ".", "。": ".", "؟": "?", "।": "."}  # fmt: skip
_FOLD = str.maketrans({**_HOMOGLYPHS, **_TYPOGRAPHY})
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069"
    "\ufe00-\ufe0f\ufeff\ufffd\ud800-\udfff]+"
)
_MARKS = re.compile("[\u0300-\u036f]+")
_NO_WORD = re.compile(r"[^\w\x00-\x7f]+")
_BANG = re.compile(r"(?<=[A-Za-z])[!|](?=[A-Za-z])")
_ODD = re.compile(r"[0-9$@*]")
_LEET = str.maketrans("013457$@", "oieastsa")
_LETTERS = frozenset("bcdefghjklmnopqrstvwxyz")
_RUN = re.compile(r"([a-z])\1\1+")


def _ascii_table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for code in range(128):
        letter = chr(code)
        if letter.isalnum():
            table[code] = letter.lower()
        elif letter in "'`":
            table[code] = None
        elif letter in ".!?;":
            table[code] = END
        else:
            table[code] = letter if letter in "$@*" else " "
    return table


_ASCII = str.maketrans(_ascii_table())


@dataclass(frozen=True)
class Spelling:
    """What the lexicon knows about spelling: its words, short forms of them, and words often censored."""

    words: frozenset[str]
    short_forms: Mapping[str, str]
    censored: Mapping[str, re.Pattern[str]]


def has_hidden(text: str) -> bool:
    """Whether a text holds characters that don't show (zero width, controls, lone surrogates)."""
    return not text.isprintable() and _HIDDEN.search(text) is not None


def tokens_of(text: str, spelling: Spelling, hidden_as: str = "") -> list[str]:
    """The words of a text in plain lower-case letters, with END between sentences.

    `hidden_as` stands in for hidden characters: "" joins what they split, " " splits what they join.
    Linear in the length of the text.
    """
    if not text.isascii():
        text = _plain(text, hidden_as)
    elif not text.isprintable() and _HIDDEN.search(text):
        text = _HIDDEN.sub(hidden_as, text)
    if "!" in text or "|" in text:
        text = _BANG.sub("i", text)
    folded = text.translate(_ASCII).replace(END, " . ")
    tokens = folded.split()
    if _ODD.search(folded):
        tokens = _unleet(tokens, spelling)
    if _RUN.search(folded):
        tokens = [_shorten(token, spelling) for token in tokens]
    if len(_LETTERS.intersection(tokens)) > 1:
        tokens = _join_letters(tokens, spelling)
    if not spelling.short_forms.keys().isdisjoint(tokens):
        tokens = _spell_out(tokens, spelling)
    return tokens


def _plain(text: str, hidden_as: str) -> str:
    """Non-ASCII text with hidden characters, diacritics, look-alikes and pictures folded away."""
    text = _HIDDEN.sub(hidden_as, text)
    text = unicodedata.normalize("NFKD", text.translate(_FOLD)).lower()
    text = _MARKS.sub("", text).translate(_FOLD)
    return _NO_WORD.sub(" ", text)


def _unleet(tokens: Iterable[str], spelling: Spelling) -> list[str]:
    return [_readable(token, spelling) if _ODD.search(token) else token for token in tokens]


def _readable(token: str, spelling: Spelling) -> str:
    if token in spelling.short_forms:
        return token
    if "*" in token:
        for word, shape in spelling.censored.items():
            if shape.fullmatch(token):
                return word
        token = token.strip("*")
    plain = token.translate(_LEET)
    if plain in spelling.words or plain in spelling.short_forms:
        return plain
    other = token.replace("1", "l").translate(_LEET)
    return other if other in spelling.words else token.strip("$@")


def _shorten(token: str, spelling: Spelling) -> str:
    if len(token) < 3 or token in spelling.words:
        return token
    twice = _RUN.sub(r"\1\1", token)
    if twice in spelling.words or twice == token:
        return twice
    once = _RUN.sub(r"\1", token)
    return once if once in spelling.words or once in spelling.short_forms else twice


def _join_letters(tokens: list[str], spelling: Spelling) -> list[str]:
    """Put spelled-out words together ("k i l l", "k.i.l.l") and cut them back into known words."""
    joined: list[str] = []
    spelled: list[str] = []
    pending: list[str] = []
    for token in [*tokens, ""]:
        if len(token) == 1 and token != END:
            spelled.append(token)
            pending.append(token)
        elif token == END and spelled:
            pending.append(token)
        else:
            joined += _cut("".join(spelled), spelling) if len(spelled) > 2 else pending
            joined += [token] if token else []
            spelled, pending = [], []
    return joined


def _cut(letters: str, spelling: Spelling) -> list[str]:
    """Cut letters into the lexicon's words, longest first; what fits none stays as one word."""
    words: list[str] = []
    at = 0
    while at < len(letters):
        size = next(
            (n for n in range(min(16, len(letters) - at), 0, -1) if letters[at : at + n] in spelling.words), 1
        )
        words.append(letters[at : at + size])
        at += size
    return words


def _spell_out(tokens: Iterable[str], spelling: Spelling) -> list[str]:
    spelled: list[str] = []
    for token in tokens:
        spelled += spelling.short_forms.get(token, token).split()
    return spelled
