"""Doors of a chart's sections: people, consent, crises, and who looked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.pathway import queries as pathway
from clinical.record import actions, queries, showing
from clinical.record.forms import ConsentForm, MemberForm
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.registry.access import CHART

PATIENT = "patients.Patient"


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def chart_people(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Whom to call, who cares and since when, who answers now; POST lets somebody join the team."""
    user = actor_of(request).person
    typed = request.POST if request.method == "POST" else None
    form = MemberForm(typed, colleagues=queries.colleagues(user, DESK_ROLES), auto_id="member_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            actions.add_member(actor=actor_of(request), patient_id=patient_id, **form.member())
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, request.path)
    return _people(request, patient_id, form, status, conflict)


def _people(
    request: HttpRequest, patient_id: UUID, form: forms.Form, status: int, conflict: Any
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at, with_contacts=True)
        team = queries.team(context, head.ids)
        closed = pathway.endings(context, head.ids)
        context.saw("people", subjects=[head.patient.pk], object_type=PATIENT, object_id=head.patient.pk)
        shown = showing.top(head, "people") | {
            "team": showing.places(team, at), "form": form, "conflict": conflict, "endings": closed,
            "answers": pathway.answers(head.patient, team, at),
        }  # fmt: skip
        return render(request, "clinical/record/people.html", shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def chart_team_end(request: HttpRequest, patient_id: UUID, member_id: UUID) -> HttpResponse:
    """End somebody's place on the team."""
    actions.end_member(actor=actor_of(request), patient_id=patient_id, member_id=member_id)
    return go_to(request, reverse("clinical:chart_people", args=[patient_id]))


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def chart_consent(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What a person allows, and every decision; POST takes one down."""
    form = ConsentForm(request.POST if request.method == "POST" else None, auto_id="consent_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            actions.take_down_consent(actor=actor_of(request), patient_id=patient_id, data=form.consent())
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, request.path)
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        rows = queries.consents(context, head.ids)
        context.saw("consents", subjects=[head.patient.pk], object_type=PATIENT, object_id=head.patient.pk)
        states = showing.consent_states(rows, patient_id, at)
        shown = showing.top(head, "consent") | {
            "states": states, "history": showing.history(rows), "form": form, "conflict": conflict,
            "warnings": [one["warning"] for one in states if one["warning"]],
        }  # fmt: skip
        return render(request, "clinical/record/consent.html", shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def chart_consent_withdraw(request: HttpRequest, patient_id: UUID, consent_type: str) -> HttpResponse:
    """Take a consent back, at once."""
    actions.withdraw_consent(actor=actor_of(request), patient_id=patient_id, consent_type=consent_type)
    return go_to(request, reverse("clinical:chart_consent", args=[patient_id]))


@requires(*DESK_ROLES)
@require_GET
def chart_access(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Who looked at this record, when and why, page by page."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        context.saw("access_log", subjects=[head.patient.pk], object_type=PATIENT, object_id=head.patient.pk)
        found = queries.looks(head.ids, _uuid(request.GET.get("before", "")))
        shown = showing.top(head, "access") | showing.look_rows(found)
        return render(request, "clinical/record/access.html", shown)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


@requires(*DESK_ROLES)
@require_GET
def chart_crisis(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Alerts with their ends, and the contacts that were promised after them."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        context.saw("crises", subjects=[head.patient.pk], object_type=PATIENT, object_id=head.patient.pk)
        shown = showing.top(head, "crisis") | showing.crisis_rows(queries.crises(actor, head.ids, at))
        return render(request, "clinical/record/crisis.html", shown)
