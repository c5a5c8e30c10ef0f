"""Allergies in a chart and on an alert's page: the banner's flag, what changed of them, the person's fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.urls import reverse

from clinical.chart.news.showing import allergy_lines, is_touched
from clinical.chart.parts import Flag, Look, Part, Shown, register
from clinical.plans.allergies.models import Allergy
from clinical.plans.allergies.queries import allergies_of
from clinical.plans.allergies.showing import SHOWN, fact_words, flag_words
from cortex.access.context import AccessContext
from crisis.casework.facts import Fact
from crisis.casework.facts import register as register_teller
from patients.registry.models import Patient
from patients.registry.queries import rows_of

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


def facts(context: AccessContext, patient: Patient, at: datetime) -> list[Fact]:
    """Tell whoever has the person's alert what an ambulance asks for; two queries, one row of the log.

    All that stand are named, the severe first: who reads it has no list to look further. Where nobody asked,
    nothing is said.
    """
    rows = allergies_of(rows_of(patient))
    standing = [one for one in rows if one.stands]
    if not standing and not any(one.says_none for one in rows):
        return []
    context.open(standing, ("substance",))
    context.saw(
        "plan", subjects=[patient.pk], object_type="clinical.Allergy", sections=["allergies"],
    )  # fmt: skip
    return [Fact("Allergies", fact_words(standing), is_grave=any(one.is_severe for one in standing))]


def register_allergies() -> None:
    """Add them; called once, at start."""
    register_teller(facts)
    register(Part(KEY, flags=flags, overview=overview))
