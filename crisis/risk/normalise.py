"""Folds what people type into plain words to match on (domain 4.6); the folded words never leave memory."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from .slips import Slips

END = "."
"""The token that stands for the end of a sentence; no pattern reaches across it."""
LINE = "/"
"""The token that stands for a new line: the end of a clause, or a phrase that goes on below."""

_HOMOGLYPHS = dict(
    zip("асеіјорѕухһкмтвнԁԝӏɡɑαεικνορτυχıոᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",  # Cyrillic, Greek, small capitals
        "aceijopsyxhkmtbhdwlgaaeiknoptuxinabcdefghijklmnoprstuvwyz", strict=True)
)  # fmt: skip
_TYPOGRAPHY = {"’": "", "‘": "", "ʼ": "", "′": "", "´": "", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
               "…": ".", "。": ".", "؟": "?", "।": ".", "\x85": "\n", "\u2028": "\n",
               "\u2029": "\n"}  # fmt: skip
_FOLD = str.maketrans({**_HOMOGLYPHS, **_TYPOGRAPHY})
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069"
    "\ufe00-\ufe0f\ufeff\ufffd\ud800-\udfff]+"
)
_MARKS = re.compile("[\u0300-\u036f]+")
_NO_WORD = re.compile(r"[^\w\x00-\x7f]+")
_INNER = "¦"  # a mark inside a word ("k!ll", "k|ll"), where it is a letter and not the end of a sentence
# Both start with the rare letter itself and look back from there: looking back from every place is slow.
_BAR = re.compile(r"[!|](?<=[A-Za-z].)(?:[!|]*(?=[A-Za-z0-9])|(?<=\|)\|*)")
_TALL_I = re.compile(r"I(?:(?<=[a-z]I)|[il])")
_LATIN = re.compile(r"[A-Za-z]+")
_ODD = re.compile(rf"[0-9$@*{_INNER}]")
_LEET = str.maketrans(f"03457$@{_INNER}", "oeastsa1")
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
        elif letter == "\n":
            table[code] = f" {LINE} "
        else:
            table[code] = letter if letter in "$@*" else " "
    return table


_ASCII = str.maketrans(_ascii_table())


@dataclass(frozen=True)
class Spelling:
    """What the lexicon knows about spelling: its words, their short and censored forms, pictures, slips."""

    words: frozenset[str]
    short_forms: Mapping[str, str]
    censored: Mapping[str, re.Pattern[str]]
    pictures: Mapping[str, str]
    slips: Slips

    @cached_property
    def picture(self) -> re.Pattern[str]:
        """Finds a picture, once for however often it is repeated in a row."""
        return re.compile(rf"([{''.join(self.pictures)}])(?:[\ufe0f\s]*\1)*")


def has_second_reading(text: str, spelling: Spelling) -> bool:
    """Whether a text holds what can be read in two ways: characters that don't show, pictures of means."""
    if text.isascii() and text.isprintable():
        return False
    return _HIDDEN.search(text) is not None or spelling.picture.search(text) is not None


def tokens_of(text: str, spelling: Spelling, *, second: bool = False) -> list[str]:
    """The words of a text in plain lower-case letters, END between sentences, LINE between lines.

    The first reading joins what hidden characters split and passes over pictures ("kill 😭 myself"); the
    second splits there and reads a picture of a means as "emoji" and its word. Linear in the text's length.
    """
    if not text.isascii():
        if second:
            text = spelling.picture.sub(lambda found: f" emoji {spelling.pictures[found[1]]} ", text)
        text = _plain(text, " " if second else "")
    elif not text.isprintable() and _HIDDEN.search(text):
        text = _HIDDEN.sub(" " if second else "", text)
    if "!" in text or "|" in text:
        text = _BAR.sub(lambda found: _INNER * len(found[0]), text)
    if "I" in text and _TALL_I.search(text):
        text = _LATIN.sub(lambda found: _with_l(found[0], spelling), text)
    folded = text.translate(_ASCII).replace(END, " . ")
    tokens = spelling.slips.read(folded.split())
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


def _with_l(word: str, spelling: Spelling) -> str:
    """A capital I that stands for an l ("kiII"), where that makes a word of the lexicon."""
    if "I" not in word or word.lower() in spelling.words:
        return word
    tall = word.replace("I", "l").lower()
    return tall if tall in spelling.words or tall in spelling.short_forms else word


def _unleet(tokens: Iterable[str], spelling: Spelling) -> list[str]:
    read: list[str] = []
    for token in tokens:
        if not _ODD.search(token):
            read.append(token)
        else:
            read += _readable(token, spelling)
    return read


def _readable(token: str, spelling: Spelling) -> list[str]:
    if token in spelling.short_forms or token.isdigit():
        return [token]
    if "*" in token:
        for word, shape in spelling.censored.items():
            if shape.fullmatch(token):
                return [word]
        token = token.strip("*")
    plain = token.translate(_LEET)
    head, one, tail = plain.rpartition("1")
    for ones in (
        plain.replace("1", "i"),
        plain.replace("1", "l"),
        plain.replace("1", "i", 1).replace("1", "l"),
        head.replace("1", "i") + one.replace("1", "l") + tail,
    ):
        if ones in spelling.words or ones in spelling.short_forms:
            return [ones]
    return token.strip("$@").replace(_INNER, f" {END} ").split()


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
        if len(token) == 1 and token not in (END, LINE):
            spelled.append(token)
            pending.append(token)
        elif token in (END, LINE) and spelled:
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
