"""The days of anybody's calendar: what lies beyond is a slip of the hand, or an address that nobody typed."""

from __future__ import annotations

from datetime import date

# At the ends of Python's own calendar neither a zone nor a week more can be reckoned.
FIRST_YEAR, LAST_YEAR = 1900, 2200
BEYOND = f"Choose a day between {FIRST_YEAR} and {LAST_YEAR}."


def is_usual(day: date) -> bool:
    """Whether a day, or the day of a moment, is one of anybody's calendar."""
    return FIRST_YEAR <= day.year <= LAST_YEAR
