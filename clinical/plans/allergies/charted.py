"""Allergies in a chart: the banner's flag and what changed of them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.urls import reverse

from clinical.chart.news.showing import allergy_lines, is_touched
from clinical.chart.parts import Flag, Look, Part, Shown, register
from clinical.plans.allergies.models import Allergy
from clinical.plans.allergies.queries import allergies_of
from clinical.plans.allergies.showing import SHOWN, flag_words

KEY = "allergies"


def read_once(found: dict[str, Any], ids: list[UUID]) -> list[Allergy]:
    """Return what is on record of a person; one query, and none when the page has read it already."""
    if KEY not in found:
        found[KEY] = allergies_of(ids)
    return cast(list[Allergy], found[KEY])


def flags(look: Look) -> list[Flag]:
    """Name what is active, the severe ones first; one query at most. Nothing is said where none stands."""
    standing = [one for one in read_once(look.found, look.ids) if one.stands]
    if not standing:
        return []
    shown = standing[:SHOWN]
    look.context.open(shown, ("substance",))
    url = f"{reverse('clinical:plan', args=[look.patient.pk])}#allergies"
    return [Flag(flag_words(shown, len(standing)), "crit" if standing[0].is_severe else "warn", url)]


def overview(look: Look) -> Shown:
    """Say what was recorded, changed or marked as an error since; one query, which serves the flag too."""
    rows, since = read_once(look.found, look.ids), look.since
    if since is None:
        return Shown()
    touched = [one for one in rows if is_touched(one, since)]
    look.context.open([one for one in touched if not one.none_known], ("substance",))
    url = reverse("clinical:plan", args=[look.patient.pk])
    return Shown(changes=list(allergy_lines(touched, since, url)))


def register_allergies() -> None:
    """Add them; called once, at start."""
    register(Part(KEY, flags=flags, overview=overview))
