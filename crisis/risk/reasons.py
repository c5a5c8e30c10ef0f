"""Coded reasons as short human sentences for a card: plain, present tense, never a quote, no method."""

from __future__ import annotations

SENTENCES: dict[str, dict[str, str]] = {
    "text_a": {"en": "Said something that may mean immediate danger", "sw": "Amesema jambo linaloweza kumaanisha hatari sasa"},
    "text_b": {"en": "Spoke about thoughts of suicide", "sw": "Amezungumzia mawazo ya kujiua"},
    "signals_high": {"en": "Several signals together need a person to look", "sw": "Ishara kadhaa zinahitaji mtu aangalie"},
}


def reason_text(code: str, language: str = "en") -> str:
    """Return the sentence of a reason code; an unknown one says that signals need a person to look."""
    found = SENTENCES.get(code, SENTENCES["signals_high"])
    return found.get(language, found["en"])
