"""Allergies in the words of their list and of the banner; no query, nothing is opened here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from clinical.plans.allergies.models import Allergy, Verification
from cortex.crypto.errors import DecryptError

NONE_KNOWN = "No known allergies"
SHOWN = 3
ROOM = 40
# A row that doesn't open must not shut the chart; its own list refuses it, and leaves a dead letter.
UNREADABLE = "one that can't be read"


def name_of(row: Allergy) -> str:
    """Return what an allergy, which is opened, is of."""
    try:
        return row.substance or ""
    except DecryptError:
        return UNREADABLE


def flag_words(shown: Sequence[Allergy], count: int) -> str:
    """Say in a few words which allergies stand: the first ones, opened, of so many."""
    first = shown[0].get_kind_display()
    names = []
    for one in shown:
        kind = one.get_kind_display()
        notes = ["severe"] * one.is_severe + [kind.lower()] * (kind != first)
        names.append(_short(name_of(one)) + (f" ({', '.join(notes)})" if notes else ""))
    more = count - len(shown)
    return f"{first}: {', '.join(names)}" + (f" and {more} more" if more > 0 else "")


def _short(name: str) -> str:
    return name if len(name) <= ROOM else f"{name[: ROOM - 1].rstrip()}…"


def listed(rows: Iterable[Allergy]) -> dict[str, Any]:
    """Return a person's list as the plan's page shows it, the rows opened; errors stand apart."""
    found = list(rows)
    said = [one for one in found if not one.is_in_error and (one.says_none or not one.none_known)]
    return {
        "rows": [_row(one) for one in said],
        "errors": [_row(one) for one in found if one.is_in_error],
        "may_say_none": not any(one.holds for one in found),
    }


def _row(one: Allergy) -> dict[str, Any]:
    tags = []
    if one.is_severe:
        tags.append(("Severe", "tag-crit" if one.stands else ""))
    if one.verification in (Verification.UNCONFIRMED, Verification.REFUTED) and not one.none_known:
        tags.append((one.get_verification_display(), ""))
    if one.clinical_status != "active":
        tags.append((one.get_clinical_status_display(), ""))
    kind = [one.get_kind_display(), one.get_category_display().lower()]
    return {
        "id": one.pk,
        "name": NONE_KNOWN if one.none_known else one.substance,
        "none_known": one.none_known,
        "holds": one.holds,
        "tags": tags,
        "kind": ", ".join(filter(None, kind)),
        "since": one.since,
        "source": one.get_source_display().lower(),
        "by": one.recorded_by.full_name if one.recorded_by else "",
        "at": one.created_at,
        "reaction": "" if one.none_known else one.reaction or "",
    }
