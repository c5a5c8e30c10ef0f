"""Reads for the person's app: what is due for them, with its wording, and what is held back and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from clinical.assessments import queries as measures
from clinical.assessments.episodes import episode_of
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Instrument, InstrumentText
from clinical.assessments.planning import queries as planning
from clinical.assessments.planning.queries import DueMeasure
from cortex.access.context import AccessContext
from crisis.alerts.queries import open_of_people
from crisis.alerts.states import OWNED
from crisis.duty.queries import has_cover
from crisis.reviews.models import ReviewItem
from crisis.risk.queries import latest_assessment
from patients.care.queries import care_since
from patients.privacy.queries import has_consent
from patients.registry.models import Patient
from patients.registry.queries import rows_of

# What nobody may answer alone while an alert is open and nobody is there to read it (domain 2.2).
NEEDS_SOMEBODY = frozenset({"phq9", "phq2", "cssrs"})
# Tasks that ask for a measure before its schedule does: reason code -> key.
ASKED = {"phq9_due": "phq9", "phq9_suggested": "phq9", "cssrs_due": "cssrs"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A measure in the form to ask, with its wording; a later form says since when it asks."""

    due: DueMeasure
    form: Instrument
    text: InstrumentText
    since: datetime | None


@dataclass(slots=True)
class Offer:
    """What an app may show: the measures that are due with their texts, and what is held back by key."""

    measures: list[Asked] = field(default_factory=list)
    held_back: dict[str, str] = field(default_factory=dict)


def offer(context: AccessContext, person: Patient, at: datetime) -> Offer:
    """Return what is due for a person now; the look is noted. Nothing without their consent to treatment."""
    context.saw("own_measures", subjects=[person.pk], organization_id=person.organization_id)
    found = Offer()
    offered = offers.instruments(person.organization_id)
    if not has_consent(person.pk, "treatment", at):
        found.held_back = {row.key: "no_consent" for row in offered}
        return found
    by_key = {row.key: row for row in offered}
    alone = is_alone(person, at)
    for one in _due(person, offered, at):
        if one.key in NEEDS_SOMEBODY and alone:
            found.held_back[one.key] = "alert_open"
            continue
        found.measures.append(_asked(person, one, by_key[one.key], at))
    return found


def is_alone(person: Patient, at: datetime) -> bool:
    """Whether an alert of the person is open that nobody has, with nobody at the desk to read an answer."""
    alerts = open_of_people(rows_of(person))
    if not alerts or any(alert.status in OWNED for alert in alerts):
        return False
    return not has_cover(person.organization_id)


def _asked(person: Patient, due: DueMeasure, row: Instrument, at: datetime) -> Asked:
    later = measures.later_of(person, row, at)
    form, since = (later.form, later.since) if later is not None else (row, None)
    return Asked(due, form, offers.text_of(form, person.language), since)


def _due(person: Patient, offered: list[Instrument], at: datetime) -> list[DueMeasure]:
    ids = rows_of(person)
    courses = measures.courses(measures.standing(ids, at - measures.LOOK_BACK), offered)
    began = care_since(person.pk, at) or person.registered_at
    assessed = latest_assessment(person.pk)
    level = assessed.level if assessed else ""
    one = planning.person_of(person, ids, courses, began, level, episode_of(ids, at))
    found = planning.due_measures([one], offered, at)[person.pk]
    there = {due.key for due in found}
    installed = offers.installed(offered)
    titles = {row.key: row.title for row in offered if row.pk in installed}
    asked = ReviewItem.objects.open().filter(patient_id__in=ids, reason_code__in=ASKED)
    for reason, when in asked.order_by("created_at").values_list("reason_code", "created_at"):
        key = ASKED[reason]
        newest = courses[key].latest if key in courses else None
        # What asked before the newest answer was answered by it.
        if newest is not None and newest.at >= when:
            continue
        if key not in there and key in titles:
            there.add(key)
            found.append(DueMeasure(key, titles[key], when, "signal"))
    return found
