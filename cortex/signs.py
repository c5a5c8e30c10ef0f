"""Signs of a text that nobody sees, where a name or a title must be what it looks like; pure."""

from __future__ import annotations

import unicodedata

# Persian and many Indian scripts write with them.
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def holds_unseen(text: str) -> bool:
    """Whether a text holds control signs, line ends, or signs that turn the direction of reading.

    The joiners of Persian and of many Indian scripts are no such signs.
    """
    return any(
        unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and sign not in JOINERS
        for sign in text
    )


def looks(text: str) -> str:
    """Return a text as it is told from others that look the same: forms, case, joiners and spaces aside."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(sign for sign in plain if sign not in JOINERS).split())
