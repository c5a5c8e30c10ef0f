"""Doors of one alert: its page, panel, source and commands; by-hand alerts and second readings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, render_part
from crisis.alerts import queries as alert_queries
from crisis.alerts.cards import waiting_row
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import CLOSED
from crisis.casework import commands, queries
from crisis.casework.evidence_words import interpretation
from crisis.casework.forms import DecisionForm
from crisis.desk.queries import own_duty, subjects_of
from crisis.endings.actions import decide_review

SAID = {
    "contact": "Contact logged.",
    "attempt": "Attempt logged.",
    "still_with": "Noted: you are still with them.",
    "contact_end": "End of contact logged. You keep watching.",
    "escalate": "Escalated. The next step is called.",
    "resolve": "Resolved.",
    "false_alarm": "Closed as a false alarm.",
    "take_over": "It is yours now.",
    "release": "Given back to the queue.",
    "reopen": "Reopened.",
}
ENDINGS = {"resolve", "false_alarm"}
DESK = (Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR)


@requires(*DESK)
@require_GET
def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """The alert with everything that this person may see of it; logged."""
    actor, at = actor_of(request), clock()
    topics = alert_queries.desk_topics(actor.person)
    look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
    with reading(actor, purpose="alert_review", relationship=look.relationship or "duty") as context:
        shown = queries.page(context, request.user, look, at)  # type: ignore[arg-type]
        if not look.opens_person:
            context.saw(
                "alert.card",
                object_type="crisis.RiskAlert",
                object_id=alert_id,
                organization_id=look.alert.organization_id,
            )
        offered = [commands.shown(one, alert_id) for one in commands.offered(request.user, look.alert)]  # type: ignore[arg-type]
        if others := alert_queries.waiting_besides(actor.person, alert_id):
            context.saw("alert.list", object_type="waiting", subjects=subjects_of(others))
        shown |= {
            "actions": offered,
            "interpretation": interpretation(look.alert, at)
            if look.alert.rules_fired or look.alert.factors
            else "",
            "server_now": at,
            "topics": topics,
            "topic": f"board:{look.alert.organization_id}",
            "muted": own_duty(actor.person, at).get("muted", 0),
            "waiting": [waiting_row(other) for other in others],
            "decision_form": DecisionForm(auto_id="decision_%s"),
        }
        return render(request, "crisis/alerts/page.html", shown)


@requires(*DESK)
@require_GET
def alert_preview(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """The panel beside the board: coded evidence only."""
    actor, at = actor_of(request), clock()
    look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
    with reading(actor, purpose="triage", relationship=look.relationship or "duty") as context:
        context.saw(
            "alert.panel",
            object_type="crisis.RiskAlert",
            object_id=alert_id,
            organization_id=look.alert.organization_id,
        )
        return render(
            request,
            "crisis/alerts/_preview.html",
            {"preview": queries.preview(request.user, look, at)},  # type: ignore[arg-type]
        )


@requires(*DESK)
@require_GET
def alert_source(request: HttpRequest, alert_id: UUID, source_id: UUID) -> HttpResponse:
    """The words behind one factor, on request; logged with the reader's name."""
    actor, at = actor_of(request), clock()
    look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
    with reading(actor, purpose="alert_review", relationship=look.relationship) as context:
        shown = queries.source_message(context, look, source_id)
        return render_part(request, "crisis/alerts/source.html", "crisis/alerts/_source.html", shown)


@requires(*DESK)
@require_http_methods(["GET", "POST"])
def command(request: HttpRequest, alert_id: UUID, code: str) -> HttpResponse:
    """Run one command on an alert; 422 gives the form back, 409 says who has it and what is allowed."""
    chosen = commands.BY_CODE[code]
    data = request.POST if request.method == "POST" else None
    form = (chosen.form or Form)(data, auto_id=f"{code}_%s")
    if request.method == "POST" and form.is_valid():
        try:
            alert = chosen.run(actor_of(request), alert_id, form.cleaned_data, form)
        except RuleBroken as broken:
            if broken.status != 422:
                raise
            form.add_error(broken.extra.get("field"), broken.message)
        else:
            _confirm(request, code, alert)
            return go_to(request, _next(request, alert.pk))
    return _form(request, alert_id, chosen, form)


def _confirm(request: HttpRequest, code: str, alert: RiskAlert) -> None:
    """Say in a sentence what was done; an ending that waits for its second reader has not taken effect."""
    said = SAID.get(code, "")
    if code in ENDINGS and alert.status not in CLOSED:
        said = "A second reader is asked. Until they decide, the alert stays open and yours."
    if said:
        messages.success(request, said)


def _next(request: HttpRequest, alert_id: UUID) -> str:
    return (
        reverse("crisis:board")
        if request.POST.get("next") == "board"
        else reverse("crisis:alert_page", args=[alert_id])
    )


def _form(request: HttpRequest, alert_id: UUID, chosen: commands.Command, form: Any) -> HttpResponse:
    at = clock()
    look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
    if not form.is_bound:
        for field in list(form.fields.values())[:1]:  # the page is this form
            field.widget.attrs["autofocus"] = True
    with reading(
        actor_of(request), purpose="alert_review", relationship=look.relationship or "duty"
    ) as context:
        context.saw(
            "alert.card",
            object_type="crisis.RiskAlert",
            object_id=alert_id,
            organization_id=look.alert.organization_id,
        )
        shown = {
            "action": commands.shown(chosen, alert_id, form),
            "alert": queries.preview(request.user, look, at)["card"],  # type: ignore[arg-type]
            "form": form,
        }
        status = 422 if form.is_bound and form.errors else 200
        return render_part(
            request, "crisis/alerts/action_page.html", "crisis/alerts/_form.html", shown, status=status
        )


@requires(*DESK)
@require_POST
def review_decide(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Decide as the second reader."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise RuleBroken(
            "Choose yes or no, and write a sentence about what you saw.", "incomplete", status=422
        )
    alert = decide_review(
        actor=actor_of(request),
        review_id=review_id,
        agreed=form.cleaned_data["agreed"] == "yes",
        note=form.cleaned_data["note"],
    )
    return go_to(request, reverse("crisis:alert_page", args=[alert.pk]))
