"""Doors of schedules: what is due on one's caseload, and one person's own schedule."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinical.assessments.instruments.queries import instruments
from clinical.assessments.planning import actions, queries
from clinical.assessments.planning.forms import PlanForm
from clinical.assessments.planning.showing import overdue_groups, rate_words
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from patients.registry.access import CHART
from patients.registry.queries import NAMES, listed, named

THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)
AHEAD = timedelta(days=7)


@requires(*THERAPISTS)
@require_GET
def measures_due(request: HttpRequest) -> HttpResponse:
    """What is due on one's caseload, the longest overdue first."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        people = queries.own_people(actor.person, at)
        offered = instruments(actor.person.organization_id)
        due = queries.due_measures(people, offered, at, ahead=AHEAD)
        shown = [one for one in people if due[one.patient.pk]]
        opened = listed(one.patient.pk for one in shown)
        context.open(opened.values(), NAMES)
        context.saw("measures_due", subjects=sorted(opened), object_type="measures")
        names = {pk: named(row) for pk, row in opened.items()}
        chased = queries.chased(names)
        groups = overdue_groups(shown, due, names, chased, at)
        owner = {row: one.patient.person_id for one in people for row in (one.patient.pk, *one.ids)}
        often = queries.measured_often(owner, at - queries.OFTEN_WITHIN, at)
        return render(
            request, "clinical/assessments/due.html",
            {"groups": groups, "count": sum(len(group["rows"]) for group in groups), "people": len(people),
             "rate": rate_words(len(often), len(set(owner.values())))},
        )  # fmt: skip


@requires(*DESK_ROLES)
@require_POST
def plan_set(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Give a person a schedule of their own for one measure."""
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _told(request, patient_id, str(next(iter(form.errors.values()))[0]))
    try:
        actions.set_plan(actor=actor_of(request), patient_id=patient_id, key=key, **form.cleaned_data)
    except RuleBroken as error:
        if error.status == 404:
            raise
        return _told(request, patient_id, error.message)
    return _back(request, patient_id)


def _told(request: HttpRequest, patient_id: UUID, words: str) -> HttpResponse:
    """Lead back with what is missing; nothing of a choice of four fields is worth a page of its own."""
    messages.error(request, words)
    return _back(request, patient_id)


def _back(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    return go_to(request, reverse("clinical:measures", args=[patient_id]))


@requires(*DESK_ROLES)
@require_POST
def plan_clear(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Go back to the usual schedule."""
    actions.clear_plan(actor=actor_of(request), patient_id=patient_id, key=key)
    return _back(request, patient_id)
