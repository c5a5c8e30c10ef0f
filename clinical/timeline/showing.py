"""A timeline's entries in the shape of its page: months, and days as the reader sees them; no query."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.utils import timezone

from clinical.timeline.registry import Entry
from cortex.ui.zone import zone_of
from patients.registry.models import Patient


def by_month(entries: Iterable[Entry], patient: Patient) -> list[dict[str, Any]]:
    """Return the entries under their months, newest first; a person's own day is in their own zone."""
    zone = zone_of(patient.zone())

    def month(entry: Entry) -> tuple[int, int]:
        at = entry.at.astimezone(zone) if entry.is_day else timezone.localtime(entry.at)
        return at.year, at.month

    found = []
    for _, rows in groupby(entries, key=month):
        held = list(rows)
        first = held[0].at.astimezone(zone) if held[0].is_day else timezone.localtime(held[0].at)
        found.append({"title": f"{first:%B %Y}", "key": f"{first:%Y-%m}", "entries": held})
    return found
