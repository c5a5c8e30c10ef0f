"""The safety plan in a chart: the frame of its pages, the banner's flag, the card of the overview."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.chart.banner import shown as banner
from clinical.chart.news.showing import safety_lines
from clinical.chart.parts import Card, Flag, Line, Look, Part, Shown, register
from cortex.access.context import AccessContext
from cortex.ui.zone import zone_of
from crisis.safetyplans import queries, rules
from crisis.safetyplans.showing import card, register_frame
from crisis.safetyplans.wording import reviewed_words
from patients.registry.access import CHART, relationship_of
from patients.registry.models import Patient

KEY = "safety_plan"
OLD = "Safety plan, not reviewed for 90 days"


def frame(context: AccessContext, person: Patient, at: datetime) -> dict[str, Any] | None:
    """Return a chart's banner and sections around the plan's pages; None for whoever has no chart open."""
    if relationship_of(context.actor.person, person.pk, at, CHART) is None:
        return None
    return banner(context, person, at, tab="safety") | {
        "template": "clinical/chart/_banner.html",
        "crumb": "clinical/chart/_crumb.html",
        "styles": "clinical/_styles.html",
    }


def flags(look: Look) -> list[Flag]:
    """Say that a plan is in force, and at medium and above that none is; one query at most."""
    tone = "warn" if rules.is_watched(look.level) else ""
    plan = look.found[KEY] if KEY in look.found else queries.current(look.ids)
    url = reverse("crisis:safety_plan", args=[look.patient.pk])
    if plan is None or plan.reviewed_at is None:
        return [Flag("No safety plan", tone, url)] if tone else []
    if not rules.is_fresh(plan.reviewed_at, look.at):
        return [Flag(OLD, tone, url)]
    return [Flag(f"Safety plan, reviewed {reviewed_words(plan.reviewed_at, look.at)}", "", url)]


def overview(look: Look) -> Shown:
    """Show the plan in force, when it was finished, and when it is due; one query."""
    plan, lines = queries.at_hand(look.context, look.patient)
    look.found[KEY] = plan
    patient = look.patient
    page, edit = (
        reverse(f"crisis:{name}", args=[patient.pk]) for name in ("safety_plan", "safety_plan_edit")
    )
    begins = look.context.actor.role in queries.WRITERS and look.context.broken_glass is None
    shown = card(plan, lines, look.at, url=page, edit_url=edit if begins else "")
    due = []
    zone = zone_of(patient.zone())
    when = rules.means_at(plan.means_review_on, plan.reviewed_at, zone) if plan else None
    if when is not None:
        late = when <= look.at
        due = [Line("Look at the means again (safety plan)", when, page, "lifebuoy", late)]
    if rules.asks_for_plan(look.level) and (plan is None or not rules.is_fresh(plan.reviewed_at, look.at)):
        words = "Make a safety plan together" if plan is None else "Review the safety plan"
        due.append(Line(words, None, edit if begins else page, "lifebuoy", urgent=True))
    elif plan is not None and rules.is_watched(look.level) and plan.next_review_at:
        late = plan.next_review_at <= look.at
        due += [Line("Review the safety plan", plan.next_review_at, page, "lifebuoy", late)] if late else []
    changes = list(safety_lines(plan)) if look.since else []
    return Shown(changes=changes, due=due, cards=[Card("clinical/safetyplans/_card.html", shown)])


def at_leaving(ids: list[UUID], at: datetime) -> dict[str, Any] | None:
    """Return how old the last look at somebody's plan is when their care ends; None without a plan."""
    plan = queries.current(ids)
    if plan is None or plan.reviewed_at is None:
        return None
    return {
        "reviewed": reviewed_words(plan.reviewed_at, at),
        "is_due": at - plan.reviewed_at >= rules.BEFORE_LEAVING,
    }


def register_safety_plan() -> None:
    """Add them; called once, at start."""
    register(Part(KEY, flags=flags, overview=overview))
    register_frame(frame)
