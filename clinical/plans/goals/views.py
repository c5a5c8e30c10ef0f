"""Doors of goals and of their progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from clinical.assessments.instruments.queries import instruments
from clinical.plans import queries
from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.plans.doors import WRITERS, Look, Page, back_to_plan, edit, once, press, seen
from clinical.plans.goals import actions
from clinical.plans.goals.forms import GoalForm, ReadingForm
from clinical.plans.goals.smart import Scale
from clinical.plans.models import Goal, GoalStatus
from clinical.plans.showing import goal_row
from clinical.plans.versions import PROTECTED
from clinical.sessions.labels import reach
from clinical.sessions.queries import latest, open_ids
from cortex.access.declare import requires
from cortex.audit import actor_of
from patients.registry.queries import local_day, rows_of

# So many of the last sessions a reading may be of.
RECENT = 12
SMART = "Specific, measured, within reach, to a purpose, by a day: a goal needs all five."


def _goal_form(found: Look, data: Any, goal: Goal | None) -> GoalForm:
    plan = found.the_plan()
    totals = queries.latest_totals(found.patient)
    offered = [one for one in instruments(found.patient.organization_id) if one.key != "cssrs"]
    measures = [
        (one.key, f"{one.title}{f', last {totals[one.pk].total}' if one.pk in totals else ''}")
        for one in offered
    ]
    own = goal.instrument if goal is not None else None
    if own is not None and own.key not in dict(measures):
        measures.append((own.key, f"{own.title}, no longer offered"))
        offered.append(own)
    scales = {one.key: Scale(one.title, one.read().highest) for one in offered}
    seen, _ = found.shut.open_of(diagnoses_of(found.patient))
    diagnoses = [(str(one.pk), f"{one.code} {one.title}") for one in seen if one.status != "ruled_out"]
    if goal is not None and goal.diagnosis is not None and not found.shut.opens(goal.diagnosis):
        diagnoses.append((str(goal.diagnosis_id), PROTECTED.capitalize()))
    initial: dict[str, Any] = {"due_date": plan.target_end}
    if goal is not None:
        entries = queries.entries_of([goal])[goal.pk]
        found.shows(goal)
        found.context.open([goal, *entries])
        initial = {
            name: getattr(goal, name)
            for name in ("specific", "measure_type", "metric", "baseline", "target", "window_days",
                         "achievable_note", "concerns", "due_date", "weight")
        }  # fmt: skip
        initial["instrument"] = goal.instrument.key if goal.instrument else ""
        initial["diagnosis"] = str(goal.diagnosis_id or "")
        initial["steps"] = "\n".join(
            f"{one.title} | {one.weight}" for one in entries if one.kind == "milestone"
        )
    return GoalForm(
        data, instruments=measures, diagnoses=diagnoses, scales=scales,
        after=goal.starts_on if goal is not None else plan.start, initial=initial, auto_id="g_%s",
    )  # fmt: skip


def _save(request: HttpRequest, patient_id: UUID, data: dict[str, Any], goal_id: UUID | None = None) -> None:
    actions.save_goal(
        actor=actor_of(request), patient_id=patient_id, goal_id=goal_id, steps=data["steps"],
        seen=seen(request), once=once(request, patient_id),
        fields=data | {"diagnosis": UUID(data["diagnosis"]) if data["diagnosis"] else None},
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def goal_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Add a goal."""
    return edit(
        request, patient_id, Page("Add a goal", "Add the goal", SMART, "clinical/plans/goal.html"),
        lambda found, data: _goal_form(found, data, None),
        lambda data: _save(request, patient_id, data),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def goal_edit(request: HttpRequest, patient_id: UUID, goal_id: UUID) -> HttpResponse:
    """Change a goal; after signing that begins a new version."""
    return edit(
        request, patient_id, Page("Change the goal", "Save", SMART, "clinical/plans/goal.html"),
        lambda found, data: _goal_form(found, data, queries.goal_of(found.the_plan(), goal_id)),
        lambda data: _save(request, patient_id, data, goal_id),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def goal_progress(request: HttpRequest, patient_id: UUID, goal_id: UUID) -> HttpResponse:
    """One goal with its readings and milestones, and a form for the next reading."""

    def more(found: Look) -> dict[str, Any]:
        goal = queries.goal_of(found.the_plan(), goal_id)
        view = queries.view_goals(found.patient, [goal], found.at)[0]
        found.context.open([goal, *view.entries])
        who = reach(found.context.actor, found.patient, found.at)
        sessions = open_ids(rows_of(found.patient), who, [one.session_id for one in view.readings])
        return {"goal": goal_row(view, patient_id, found.shut, sessions)}

    def make(found: Look, data: Any) -> forms.Form:
        goal = queries.goal_of(found.the_plan(), goal_id)
        who = reach(found.context.actor, found.patient, found.at)
        sessions = [
            (str(one.pk), f"{one.get_kind_display()}, {timezone.localtime(one.started_at):%-d %b %H:%M}")
            for one in latest(rows_of(found.patient), who, found.at, RECENT)
        ]
        initial = {"observed_on": local_day(found.patient, found.at)}
        form = ReadingForm(data, sessions=sessions, initial=initial, auto_id="r_%s")
        if goal.measure_type == "frequency":
            form.fields["value"].label = "How many times"
            form.fields["value"].initial = 1
        return form

    page = Page(
        "Progress", "Write it down", template="clinical/plans/progress.html", section="goals", more=more
    )

    def run(data: dict[str, Any]) -> None:
        actions.record_progress(
            actor=actor_of(request), patient_id=patient_id, goal_id=goal_id, once=once(request, patient_id),
            **data,
        )  # fmt: skip

    return edit(request, patient_id, page, make, run)


@requires(*WRITERS)
@require_POST
def goal_settle(request: HttpRequest, patient_id: UUID, goal_id: UUID) -> HttpResponse:
    """Say where a goal stands."""
    status = request.POST.get("status", "")[:20]
    return press(request, patient_id, actions.settle_goal, goal_id=goal_id, status=status)


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def goal_drop(request: HttpRequest, patient_id: UUID, goal_id: UUID) -> HttpResponse:
    """Ask before a goal leaves the plan, and say what follows."""

    def more(found: Look) -> dict[str, Any]:
        goal = queries.goal_of(found.the_plan(), goal_id)
        found.context.open([goal], ("specific",))
        return {
            "specific": goal.specific,
            "follows": "It leaves the plan and counts no more in its progress.",
            "back": "It is listed below the goals, and can be taken up again there.",
        }

    page = Page(
        "Drop this goal", "Drop this goal", template="clinical/plans/drop.html", section="goals", more=more
    )
    return edit(
        request, patient_id, page, lambda _, data: forms.Form(data),
        lambda _: actions.settle_goal(
            actor=actor_of(request), patient_id=patient_id, goal_id=goal_id, status=GoalStatus.CANCELLED
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_POST
def milestone_tick(request: HttpRequest, patient_id: UUID, entry_id: UUID) -> HttpResponse:
    """Tick a milestone, or untick it."""
    actions.tick_milestone(
        actor=actor_of(request), patient_id=patient_id, entry_id=entry_id,
        reached=request.POST.get("reached") == "1",
    )  # fmt: skip
    return back_to_plan(request, patient_id)


@requires(*WRITERS)
@require_POST
def progress_take_back(request: HttpRequest, patient_id: UUID, entry_id: UUID) -> HttpResponse:
    """Take a wrong reading back."""
    return press(request, patient_id, actions.take_back_progress, entry_id=entry_id)
