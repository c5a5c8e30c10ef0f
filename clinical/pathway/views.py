"""Doors of ways in and out: the hub, referrals, first steps, discharge and transfer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.assessments.planning.queries import asked_for
from clinical.assessments.planning.showing import asked_rows
from clinical.pathway import actions, queries
from clinical.pathway.forms import AnswererForm, DeclineForm, EndingForm, ReferralForm, TransferForm
from clinical.pathway.showing import referral_row, steps_of
from clinical.plans.queries import open_plan
from clinical.record.queries import has_open_alert, head
from clinical.record.showing import top
from clinical.safetyplans.charted import at_leaving
from clinical.scheduling.handover.queries import coming
from cortex.access.context import KEYS_DOWN, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.breakglass.actions import BREAKERS
from patients.breakglass.queries import own_running
from patients.covers import queries as covers
from patients.pathway import actions as pathway
from patients.pathway import queries as rows
from patients.registry.access import CHART, REFERRALS

TREATING = (Role.THERAPIST, Role.PSYCHIATRIST)
ANSWERERS = (*TREATING, Role.SUPERVISOR)


@requires(*ANSWERERS, Role.ADMIN)
@require_GET
def ways(request: HttpRequest) -> HttpResponse:
    """Who comes, who is away, who leaves, and the door for emergencies."""
    actor, at = actor_of(request), clock()
    user = actor.person
    plans_for_all = user.role in (Role.SUPERVISOR, Role.ADMIN)
    with reading(actor, purpose="referral", permission=REFERRALS) as context:
        waiting = rows.waiting_for(user) if user.role in ANSWERERS else []
        queries.open_referrals(context, waiting)
        answered = rows.answered_by(user) if user.role in ANSWERERS else []
        glass = own_running(user, at)
        named = {one.patient_id for one in (*waiting, *answered)} | {one.patient_id for one in glass}
        context.saw("referrals", subjects=sorted(named), object_type="patients.Referral")
        away = covers.absences_of_house(user, at) if plans_for_all else covers.absences_of(user, at)
        free = covers.uncovered_counts(away, at)
        shown = {
            "waiting": [referral_row(one) for one in waiting],
            "answered": [referral_row(one) for one in answered],
            "glass": glass,
            "absences": [(one, free[one.pk], one.runs(at)) for one in away],
            "standing_in": [] if plans_for_all else covers.absences_covered_by(user, at),
            "may_move": user.role in (Role.SUPERVISOR, Role.ADMIN),
            "may_refer": user.role in ANSWERERS,
            "may_break": user.role in BREAKERS,
        }
        return render(request, "clinical/pathway/ways.html", shown)


@requires(*ANSWERERS)
@require_http_methods(["GET", "POST"])
def referral_new(request: HttpRequest) -> HttpResponse:
    """Refer somebody on record, or somebody new."""
    actor = actor_of(request)
    people = queries.treating(actor.person)
    form = ReferralForm(request.POST if request.method == "POST" else None, people=people, auto_id="ref_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            actions.refer(
                actor=actor, data=form.referral(), pseudonym=form.cleaned_data["pseudonym"],
                newcomer=form.newcomer(),
            )  # fmt: skip
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:ways"))
    shown = {"form": form, "conflict": conflict}
    return render(request, "clinical/pathway/referral_new.html", shown, status=status)


@requires(*ANSWERERS)
@require_GET
def referral(request: HttpRequest, referral_id: UUID) -> HttpResponse:
    """One referral that waits for the reader's answer."""
    return _referral(request, referral_id, DeclineForm(auto_id="decline_%s"))


def _referral(
    request: HttpRequest, referral_id: UUID, form: forms.Form, status: int = 200,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    actor = actor_of(request)
    with reading(actor, purpose="referral", permission=REFERRALS) as context:
        one = queries.referral(context, actor.person, referral_id)
        context.saw("referral", subjects=[one.patient_id], object_type="patients.Referral", object_id=one.pk)
        naming = AnswererForm(people=queries.treating(actor.person), auto_id="asked_%s")
        shown = {
            "one": referral_row(one), "form": form, "conflict": conflict, "naming": naming,
            "may_accept": actor.role in TREATING, "may_name": actor.role == Role.SUPERVISOR,
        }  # fmt: skip
        return render(request, "clinical/pathway/referral.html", shown, status=status)


@requires(*TREATING)
@require_POST
def referral_accept(request: HttpRequest, referral_id: UUID) -> HttpResponse:
    """Take a person into care, and go on to their first steps."""
    one = pathway.accept_referral(actor=actor_of(request), referral_id=referral_id)
    return go_to(request, reverse("clinical:first_steps", args=[one.patient_id]))


@requires(*ANSWERERS)
@require_POST
def referral_decline(request: HttpRequest, referral_id: UUID) -> HttpResponse:
    """Say no, with the reason."""
    form = DeclineForm(request.POST, auto_id="decline_%s")
    if not form.is_valid():
        return _referral(request, referral_id, form, 422)
    try:
        pathway.decline_referral(actor=actor_of(request), referral_id=referral_id, **form.cleaned_data)
    except (RuleBroken, *KEYS_DOWN) as error:
        return _referral(request, referral_id, form, *given_back(request, form, error))
    return go_to(request, reverse("clinical:ways"))


@requires(Role.SUPERVISOR)
@require_POST
def referral_name(request: HttpRequest, referral_id: UUID) -> HttpResponse:
    """Say who answers it."""
    actor = actor_of(request)
    form = AnswererForm(request.POST, people=queries.treating(actor.person), auto_id="asked_%s")
    if not form.is_valid():
        return _referral(request, referral_id, DeclineForm(auto_id="decline_%s"), 422)
    pathway.name_answerer(actor=actor, referral_id=referral_id, user_id=UUID(form.cleaned_data["user"]))
    return go_to(request, reverse("clinical:ways"))


@requires(*DESK_ROLES)
@require_GET
def first_steps(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """What the beginning of care needs, what is missing, and why they were sent."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = head(context, actor, patient_id, at)
        came = queries.came_by(context, found.ids)
        sections = ["steps", "referral"] if came else ["steps"]
        context.saw(
            "first_steps", subjects=[found.patient.pk], object_type="patients.Patient", sections=sections
        )
        shown = top(found, "") | steps_of(queries.first_steps(found.patient, at), patient_id)
        shown["came"] = came
        return render(request, "clinical/pathway/first_steps.html", shown)


@requires(*TREATING)
@require_http_methods(["GET", "POST"])
def discharge(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """End the care of a person, with reason and closing summary."""
    form = EndingForm(request.POST if request.method == "POST" else None, auto_id="end_%s")
    return _ending(request, patient_id, form, "discharge")


@requires(*TREATING)
@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Hand a person over to a colleague."""
    actor = actor_of(request)
    people = queries.treating(actor.person, besides=actor.id)
    typed = request.POST if request.method == "POST" else None
    with scoped(actor):
        away = covers.away_now([one.pk for one in people], clock())
    form = TransferForm(typed, people=people, away=away, auto_id="end_%s")
    return _ending(request, patient_id, form, "transfer")


def _ending(request: HttpRequest, patient_id: UUID, form: EndingForm, which: str) -> HttpResponse:
    actor, at = actor_of(request), clock()
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            _end(request, patient_id, form)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:caseload"))
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = head(context, actor, patient_id, at)
        context.saw("care_ending", subjects=[found.patient.pk], object_type="patients.Patient")
        shown: dict[str, Any] = top(found, "people") | {
            "form": form, "conflict": conflict, "which": which, "alert_open": has_open_alert(found.ids),
            "asked": asked_rows(asked_for(found.patient, which, at), found.patient.pk),
            "safety": at_leaving(found.ids, at) if which == "discharge" else None,
            "coming": coming(found.ids, at, actor.id if which == "transfer" else None),
            "unsigned": queries.unsigned_about(found.ids, actor.person.pk, everybody=which == "discharge"),
            "plan_open": which == "discharge" and open_plan(found.patient, found.ids) is not None,
        }  # fmt: skip
        return render(request, "clinical/pathway/ending.html", shown, status=status)


def _end(request: HttpRequest, patient_id: UUID, form: EndingForm) -> None:
    actor, data = actor_of(request), form.ending()
    if isinstance(form, TransferForm):
        to_id = UUID(form.cleaned_data["to"])
        actions.transfer(actor=actor, patient_id=patient_id, to_id=to_id, data=data)
    else:
        call_off = form.cleaned_data["call_off"]
        actions.discharge(actor=actor, patient_id=patient_id, data=data, call_off=call_off)
