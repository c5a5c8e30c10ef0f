"""Whether a text holds a telephone number, an e-mail address or a postal address; it keeps nothing of it."""

from __future__ import annotations

import re

# Every repetition is bounded or can't overlap with what follows it: a hostile text costs its length.
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().\-/]{0,2}\d){8,14}(?!\w)")
BOX = re.compile(r"\b(?:p\.? ?o\.?|s\.? ?l\.?) ?(?:box|p\.?) ?\d", re.IGNORECASE)
HOUSE = re.compile(
    r"\b(?:plot|house|hse|flat|apartment|apt|block|nyumba)\.? (?:no\.?|number|namba)? ?[A-Z]?\d{1,5}\b",
    re.IGNORECASE,
)
STREET = re.compile(
    r"\b(?:\d{1,5}[A-Za-z]? (?:[A-Za-z']{1,24} ){1,3}|(?:[A-Z][a-z']{1,24} ){1,3})"
    r"(?:street|road|avenue|lane|drive|close|estate|highway|rd|st|ave)\b",
)
MAX_LOOKED_AT = 20_000


def holds_pii(text: str) -> bool:
    """Whether the first 20,000 characters hold something that identifies or locates a person."""
    looked_at = text[:MAX_LOOKED_AT]
    if "@" in looked_at and EMAIL.search(looked_at):
        return True
    if PHONE.search(looked_at):
        return True
    return any(pattern.search(looked_at) for pattern in (BOX, HOUSE, STREET))
