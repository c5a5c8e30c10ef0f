"""Doors of a step down from critical: asking on the chart, taking it back, and the second reader's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from crisis.alerts.access import READERS
from crisis.safetyplans.queries import head
from crisis.safetyplans.showing import frame_of
from crisis.stepdown import actions, queries, showing
from crisis.stepdown.forms import AskForm, DecideForm
from patients.registry.access import CHART
from patients.registry.queries import rows_of

LABEL = "crisis.StepDown"


@requires(*READERS)
@require_http_methods(["GET", "POST"])
def step_down(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Which conditions hold and what became of the last question; POST asks a second reader."""
    form = AskForm(request.POST if request.method == "POST" else None, auto_id="step_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            actions.ask_step_down(actor=actor_of(request), patient_id=patient_id, **form.cleaned_data)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            messages.success(request, "A second reader is asked. Until they agree, the level stays critical.")
            return go_to(request, request.path)
    return _page(request, patient_id, form, status, conflict)


def _page(
    request: HttpRequest, patient_id: UUID, form: forms.Form, status: int, conflict: Any
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        person = queries.treated_person(actor, patient_id, at)
        ids = rows_of(person)
        row = queries.newest_of(ids)
        if row is not None:
            context.open([row], ["decision_note"])
        found = queries.findings(person, ids, at)
        lines = showing.conditions(found, person, at)
        context.saw("step_down", subjects=[person.pk], object_type=LABEL, object_id=row.pk if row else None)
        asked = showing.question(row, actor.id, at)
        waits = asked is not None and asked["is_waiting"]
        around = frame_of(context, person, at)
        shown: dict[str, Any] = {} if around else head(context, person, at)
        shown |= {
            "patient": person, "frame": around and around | {"tab": "crisis"}, "conditions": lines,
            "asked": asked, "answer": row.decision_note if row else "", "form": form, "conflict": conflict,
            "is_critical": found.level == "critical", "may_ask": not waits and showing.may_ask(found, lines),
        }  # fmt: skip
        return render(request, "crisis/stepdown/page.html", shown, status=status)


@requires(*READERS)
@require_POST
def step_down_withdraw(request: HttpRequest, patient_id: UUID, step_down_id: UUID) -> HttpResponse:
    """Take one's own question back."""
    actions.withdraw_step_down(actor=actor_of(request), step_down_id=step_down_id)
    messages.success(request, "Taken back. The level stays critical.")
    return go_to(request, reverse("crisis:step_down", args=[patient_id]))


@requires(*READERS)
@require_http_methods(["GET", "POST"])
def step_down_review(request: HttpRequest, step_down_id: UUID) -> HttpResponse:
    """What the second reader looks at; POST is their decision."""
    form = DecideForm(request.POST if request.method == "POST" else None, auto_id="decide_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        agree, note = form.cleaned_data["agreed"] == "yes", form.cleaned_data["note"]
        try:
            actions.decide_step_down(
                actor=actor_of(request), step_down_id=step_down_id, agree=agree, note=note
            )
        except (RuleBroken, *KEYS_DOWN) as error:
            if isinstance(error, RuleBroken) and error.code == "already_decided":
                raise  # the page may be open to them no more
            status, conflict = given_back(request, form, error)
        else:
            messages.success(request, "The level is high now." if agree else "The level stays critical.")
            return go_to(request, reverse("crisis:review_list"))
    return _review(request, step_down_id, form, status, conflict)


def _review(
    request: HttpRequest, step_down_id: UUID, form: forms.Form, status: int, conflict: Any
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="review") as context:
        row = queries.for_reader(actor, step_down_id, at)
        person = row.patient
        found = queries.findings(person, rows_of(person), at)
        context.open([row], ["reason", "decision_note"])
        context.saw("step_down", subjects=[person.pk], object_type=LABEL, object_id=row.pk)
        shown = head(context, person, at) | {
            "patient": person, "conditions": showing.conditions(found, person, at),
            "asked": showing.question(row, actor.id, at), "reason": row.reason,
            "answer": row.decision_note, "form": form, "conflict": conflict,
        }  # fmt: skip
        return render(request, "crisis/stepdown/review.html", shown, status=status)
