"""Allergies in the words of their list and of the banner; no query, nothing is opened here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from clinical.plans.allergies.models import Allergy, AllergyKind, ClinicalStatus, Verification
from cortex.access.unreadable import readable

NONE_KNOWN = "No known allergies"
SHOWN = 3
ROOM = 40
# A row that doesn't open must not shut the chart; its own list refuses it.
UNREADABLE = "one that can't be read"


def name_of(row: Allergy) -> str:
    """Return what an allergy, which is opened, is of."""
    return str(readable(row, "substance", UNREADABLE))


def flag_words(shown: Sequence[Allergy], count: int) -> str:
    """Say in a few words which allergies stand: the first ones, opened, of so many."""
    first = shown[0].get_kind_display()
    names = ", ".join(_noted(_short(name_of(one)), one, first) for one in shown)
    more = count - len(shown)
    return f"{first}: {names}" + (f" and {more} more" if more > 0 else "")


def fact_words(standing: Iterable[Allergy]) -> str:
    """Say all allergies that stand, opened, in one line; that none is known where there is none."""
    names = [_noted(name_of(one), one, AllergyKind.ALLERGY.label) for one in standing]
    return ", ".join(names) or "None known"


def _noted(name: str, one: Allergy, kind: str) -> str:
    """Return a name with what must be known of it: that it is severe, and what it is if not of this kind."""
    own = one.get_kind_display()
    notes = ["severe"] * one.is_severe + [own.lower()] * (own != kind)
    return name + (f" ({', '.join(notes)})" if notes else "")


def told_words(row: Allergy, *, is_new: bool) -> str:
    """Say that an allergy, opened, was recorded (`is_new`) or changed, and how it stands today.

    How it stands is said with the first, too: a pinned line of years ago must not warn of an error.
    """
    kind, state = row.get_kind_display(), _state(row)
    if row.none_known:
        return f"Said: {NONE_KNOWN.lower()}{state}" if is_new else f"{NONE_KNOWN} was entered in error"
    if row.is_in_error and not is_new:
        return f"{kind} was entered in error: {name_of(row)}"
    return f"{kind} {'recorded' if is_new else 'changed'}: {name_of(row)}{state}"


def _state(row: Allergy) -> str:
    if row.is_in_error:
        return ", entered in error"
    if row.clinical_status != ClinicalStatus.ACTIVE:
        return ", no longer" if row.none_known else f", {row.get_clinical_status_display().lower()}"
    if row.verification == Verification.REFUTED:
        return ", refuted"
    return ", severe" if row.is_severe else ""


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


def printed(rows: Iterable[Allergy]) -> dict[str, Any] | None:
    """Return for the person what stands of their list, opened, or that none is known; None: nobody asked."""
    found = list(rows)
    standing = [{"what": one.substance, "severe": one.is_severe} for one in found if one.stands]
    return {"rows": standing} if standing or any(one.says_none for one in found) else None


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
