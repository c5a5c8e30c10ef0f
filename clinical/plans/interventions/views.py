"""Doors of interventions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.plans import queries
from clinical.plans.doors import WRITERS, Look, Page, edit, press, seen
from clinical.plans.interventions import actions
from clinical.plans.interventions.forms import InterventionForm
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of


def _intervention_form(found: Look, data: Any, intervention_id: UUID | None) -> InterventionForm:
    plan = found.the_plan()
    rows = [one for one in queries.goals_of(plan) if one.status != "cancelled"]
    found.context.open(rows, ("specific",))
    initial: dict[str, Any] = {}
    if intervention_id is not None:
        row = queries.intervention_of(plan, intervention_id)
        found.shows(row)
        found.context.open([row])
        names = ("code", "frequency", "sessions_planned", "evidence_level", "note")
        initial = {name: getattr(row, name) for name in names} | {"goals": [str(key) for key in row.goals]}
    choices = [(str(one.pk), one.specific) for one in rows]
    return InterventionForm(data, goals=choices, initial=initial, auto_id="i_%s")


def _save_intervention(
    request: HttpRequest, patient_id: UUID, data: dict[str, Any], intervention_id: UUID | None = None
) -> None:
    goals = [UUID(one) for one in data.pop("goals", [])]
    actions.save_intervention(
        actor=actor_of(request), patient_id=patient_id, intervention_id=intervention_id, goals=goals,
        seen=seen(request), **data,
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def intervention_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Plan an intervention."""
    return edit(
        request, patient_id, Page("Plan an intervention", "Add it"),
        lambda found, data: _intervention_form(found, data, None),
        lambda data: _save_intervention(request, patient_id, data),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def intervention_edit(request: HttpRequest, patient_id: UUID, intervention_id: UUID) -> HttpResponse:
    """Change an intervention."""
    return edit(
        request, patient_id, Page("Change the intervention", "Save"),
        lambda found, data: _intervention_form(found, data, intervention_id),
        lambda data: _save_intervention(request, patient_id, data, intervention_id),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def intervention_end(request: HttpRequest, patient_id: UUID, intervention_id: UUID) -> HttpResponse:
    """Ask before an intervention ends, and say what follows."""

    def more(found: Look) -> dict[str, Any]:
        row = queries.intervention_of(found.the_plan(), intervention_id)
        return {
            "specific": row.get_code_display(), "follows": "It is done no more, from today on.",
            "back": "It stays on the list, and can be taken up again there.",
        }  # fmt: skip

    page = Page("End this intervention", "End it", template="clinical/plans/drop.html", more=more)
    return edit(
        request, patient_id, page, lambda _, data: forms.Form(data),
        lambda _: actions.end_intervention(
            actor=actor_of(request), patient_id=patient_id, intervention_id=intervention_id
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_POST
def intervention_move(request: HttpRequest, patient_id: UUID, intervention_id: UUID) -> HttpResponse:
    """Count one more session or take it back, or take an intervention up again that was ended."""
    moves: dict[str, Callable[..., object]] = {
        "held": actions.count_session, "again": partial(actions.count_session, again=True),
        "back": actions.uncount_session, "resume": actions.resume_intervention,
    }  # fmt: skip
    move = moves.get(request.POST.get("move", ""))
    if move is None:
        raise RuleBroken("Choose what to do with it.", "move_unknown", status=422)
    return press(request, patient_id, move, intervention_id=intervention_id)
