"""What stands for coded factors of substance use where Part 2 is closed to the reader (domain 7.4); pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .codes import PROTECTED, SUBSTANCE


def holds_protected(factors: Sequence[dict[str, Any]]) -> bool:
    """Whether any of these stored factors speaks of substance use: else nobody need ask who reads."""
    return any(one.get("code") in SUBSTANCE for one in factors)


def without_protected(factors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return stored factors as they are told to whom Part 2 is closed.

    However many speak of substance use, one stands for them, at the place of the first: their share together
    and when the newest was observed, and neither code, domain nor source.
    """
    found = [one for one in factors if one.get("code") in SUBSTANCE]
    if not found:
        return list(factors)
    times = [one["observed_at"] for one in found if one.get("observed_at")]
    shares = [one["share"] for one in found if one.get("share") is not None]
    stands = {
        "code": PROTECTED,
        "domain": "protected",
        "share": sum(shares) if shares else None,
        "source_type": "protected",
        "source_id": None,
        "observed_at": max(times, key=datetime.fromisoformat, default=""),
    }
    kept = [one for one in factors if one is found[0] or one.get("code") not in SUBSTANCE]
    return [stands if one is found[0] else one for one in kept]
