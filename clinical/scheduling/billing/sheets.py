"""Tables as CSV that no spreadsheet takes for formulas. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# What makes a spreadsheet compute, also after leading blanks; a quote before it makes it text.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> str:
    """Return a value as text that stays text in a spreadsheet; None is empty."""
    text = "" if value is None else str(value)
    if text.startswith(FORMULA) or text.lstrip(" \u00a0").startswith(FORMULA):
        return f"'{text}"
    return text


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV with every cell quoted; numbers too are text that a formula can't hide in."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([cell(one) for one in head])
    writer.writerows([cell(one) for one in row] for row in rows)
    return out.getvalue()
