"""Whether a medication and an allergy share a name; pure: words alone, no terminology, no class of drugs.

"Penicillin" is found in "Penicillin V" and the other way round, whatever the case; amoxicillin, of the same
class, is not, nor is a brand under another name, nor a misspelling. What is not found may be dangerous too.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby


def shares_name(one: str, other: str) -> bool:
    """Whether the words of one name stand, whole and in a row, in the other."""
    few, many = sorted((words_of(one), words_of(other)), key=len)
    size = len(few)
    return size > 0 and any(many[at : at + size] == few for at in range(len(many) - size + 1))


def words_of(name: str) -> list[str]:
    """Return the words of a name in one case and one form; signs part words and are left out."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return ["".join(signs) for is_word, signs in groupby(plain, key=_is_of_a_word) if is_word]


def _is_of_a_word(sign: str) -> bool:
    """Whether it is a letter, a figure, or a mark that belongs to the letter before it."""
    return sign.isalnum() or unicodedata.category(sign).startswith("M")
