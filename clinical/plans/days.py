"""Between which days what is typed in a plan can lie; beyond them zones and spans can't be reckoned. Pure."""

from __future__ import annotations

from datetime import date

from cortex.audit import InputRefused

FIRST, LAST = date(1900, 1, 1), date(2200, 12, 31)
BEYOND = f"Type a day of the years {FIRST.year} to {LAST.year}."


def refuse_beyond(**days: date | None) -> None:
    """Refuse a day that nobody means, at its field: InputRefused."""
    for field, day in days.items():
        if day is not None and not FIRST <= day <= LAST:
            raise InputRefused(BEYOND, "beyond_days", field=field)
