"""Whether a text holds a phone number, an e-mail address or a street address; only yes or no leaves."""

from __future__ import annotations

import re

_GAP = r"[ .\-]?"
_PHONE = re.compile(
    r"(?<![\d.,])(?:"
    rf"(?:\+|00)\d{{1,3}}{_GAP}(?:\(\d{{1,4}}\){_GAP})?(?:\d{_GAP}){{6,12}}\d"  # international
    rf"|(?:254{_GAP})?0?[17]\d{{2}}{_GAP}\d{{3}}{_GAP}\d{{3}}"  # Kenya: 07xx, 01xx, 2547xx
    rf"|0\d{{1,3}}{_GAP}\d{{3,4}}{_GAP}\d{{3,4}}"  # landlines with a leading zero
    rf"|\(\d{{3}}\) ?\d{{3}}{_GAP}\d{{4}}|\d{{3}}[.\- ]\d{{3}}[.\- ]\d{{4}}"  # North America
    r")(?!\d)"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}\.[A-Za-z]{2,24}")
_AT_SIGN = re.compile(
    r"[a-z0-9]{2,64} ?[\[(] ?at ?[\])] ?[a-z0-9\-]{2,63} ?[\[(] ?dot ?[\])] ?[a-z]{2,24}", re.I
)
_ADDRESS = re.compile(
    r"\bp\.? ?o\.? ?box \d{1,6}"
    r"|\b\d{1,5}[a-z]? (?:[a-z'\-]{2,20} ){1,3}"
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|ct|boulevard|blvd|crescent|terrace|way)\b"
    r"|\b(?:house|hse|plot|flat|apartment|apt|room|door|unit|block|nyumba) "
    r"(?:no\.?|number|namba|#) ?[a-z]?\d{1,4}"
    r"|\b(?:i live|i stay|naishi|ninaishi|nakaa|tunaishi|my address is|address:) "
    r"(?:at|on|in|kwa|katika|ni|kwenye)? ?(?:[a-z'\-]{2,20} ){0,3}"
    r"(?:street|road|avenue|lane|drive|close|court|estate|apartments|flats|mtaa|plaza|heights|gardens)\b",
    re.I,
)
_DIGITS = re.compile(r"\d")


def pii_present(text: str) -> bool:
    """Whether a text holds a phone number, an e-mail address or a postal address; linear in its length."""
    if "@" in text and _EMAIL.search(text):
        return True
    if _DIGITS.search(text) and _PHONE.search(text):
        return True
    return _AT_SIGN.search(text) is not None or _ADDRESS.search(text) is not None
