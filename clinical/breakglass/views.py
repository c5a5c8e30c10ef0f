"""Doors of break-glass: open, end, confirm once more; compliance's queue, review and incidents."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.breakglass.forms import BreakGlassForm, IncidentForm, VerdictForm
from clinical.breakglass.showing import queue_row
from clinical.record.showing import visits
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires, requires_any_staff
from cortex.accounts.models import Role
from cortex.accounts.signin.recent import ask_again_unless_recent, is_recent
from cortex.accounts.views import back, person
from cortex.audit import NotFound, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ops.notices.actions import mark_seen
from cortex.ui.nav import home_of
from cortex.ui.pages import go_to, page_of
from cortex.ui.rules import given_back
from patients.breakglass import actions, queries
from patients.registry.access import CHART, CONSENTS, treated

BREAKERS = (Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR)
# So long after the password the form may still be sent.
WRITING = timedelta(minutes=15)
NOBODY = (
    "Exactly one person has to be found by this, and none or more than one was. Check it, or use another of "
    "pseudonym, telephone and e-mail. The attempt is recorded."
)


@requires(*BREAKERS)
@require_http_methods(["GET", "POST"])
def glass_open(request: HttpRequest) -> HttpResponse:
    """Ask for the password, then for whom, why and how long; open the chart.

    What is typed about a person is posted only, and never waits in a session: a form that was left open for
    too long comes back with it.
    """
    if request.method == "GET":
        ask_again_unless_recent(request, "Open a chart by break-glass")
    form = BreakGlassForm(request.POST if request.method == "POST" else None, auto_id="glass_%s")
    status, conflict = 422 if form.errors else 200, None
    is_stale = form.is_bound and not is_recent(request, WRITING)
    if is_stale:
        status = 422
    elif form.is_bound and form.is_valid():
        try:
            one = actions.break_glass(actor=actor_of(request), **form.cleaned_data)
        except (RuleBroken, *KEYS_DOWN) as error:
            if isinstance(error, RuleBroken) and error.code == "already_open":
                return go_to(request, reverse("clinical:chart", args=[error.extra["patient_id"]]))
            status, conflict = given_back(request, form, error)
        else:
            if one is not None:
                return go_to(request, reverse("clinical:chart", args=[one.patient_id]))
            form.add_error("asked", NOBODY)
            status = 422
    return render(
        request, "clinical/breakglass/open.html",
        {"form": form, "conflict": conflict, "is_stale": is_stale}, status=status,
    )  # fmt: skip


@requires(*BREAKERS)
@require_POST
def glass_end(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Close the chart again before its time."""
    actions.end_break_glass(actor=actor_of(request), patient_id=patient_id)
    return go_to(request, reverse("clinical:ways"))


@requires(*BREAKERS)
@require_http_methods(["GET", "POST"])
def glass_protected(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Confirm a second time that psychotherapy and Part 2 notes are needed."""
    actor, at = actor_of(request), clock()
    if request.method == "POST":
        actions.confirm_protected(actor=actor, patient_id=patient_id)
        return go_to(request, reverse("clinical:chart", args=[patient_id]))
    with reading(actor, purpose="break_glass", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        found = queries.running_of(actor.person, patient_id, at)
        if found is None:
            raise NotFound
        context.saw("break_glass", subjects=[patient.pk], object_id=found.pk)
        shown = {"patient": patient, "confirmed_at": found.protected_at}
        return render(request, "clinical/breakglass/protected.html", shown)


@requires(Role.COMPLIANCE)
@require_GET
def glass_reviews(request: HttpRequest) -> HttpResponse:
    """The opened charts of the house: to judge, open incidents, judged."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="break_glass", permission=CONSENTS) as context:
        waiting, incidents = queries.review_queue(actor.person), queries.open_incidents(actor.person)
        page = page_of(queries.judged(actor.person), request.GET.get("page"), 20)
        people = {one.patient_id for one in (*waiting, *incidents, *page.object_list)}
        context.saw("break_glass.list", subjects=sorted(people), object_type="patients.BreakGlassGrant")
        page.object_list = [queue_row(one, at) for one in page.object_list]
        shown = {
            "waiting": [queue_row(one, at) for one in waiting],
            "incidents": [queue_row(one, at) for one in incidents],
            "page": page,
        }
        return render(request, "clinical/breakglass/reviews.html", shown)


@requires(Role.COMPLIANCE)
@require_http_methods(["GET", "POST"])
def glass_review(request: HttpRequest, glass_id: UUID) -> HttpResponse:
    """One opened chart: who, why, what they looked at; judge it."""
    form = VerdictForm(request.POST if request.method == "POST" else None, auto_id="verdict_%s")
    if form.is_bound and form.is_valid():
        try:
            actions.review_break_glass(actor=actor_of(request), glass_id=glass_id, **form.cleaned_data)
        except (RuleBroken, *KEYS_DOWN) as error:
            return _review(request, glass_id, form, *given_back(request, form, error))
        return go_to(request, reverse("clinical:glass_reviews"))
    return _review(request, glass_id, form, 422 if form.errors else 200)


@requires(Role.COMPLIANCE)
@require_POST
def glass_incident(request: HttpRequest, glass_id: UUID) -> HttpResponse:
    """Write what was done about an inappropriate one."""
    form = IncidentForm(request.POST, auto_id="incident_%s")
    if form.is_valid():
        try:
            actions.close_incident(actor=actor_of(request), glass_id=glass_id, **form.cleaned_data)
        except (RuleBroken, *KEYS_DOWN) as error:
            return _review(request, glass_id, form, *given_back(request, form, error))
        return go_to(request, reverse("clinical:glass_reviews"))
    return _review(request, glass_id, form, 422)


def _review(
    request: HttpRequest, glass_id: UUID, form: forms.Form, status: int = 200,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="break_glass", permission=CONSENTS) as context:
        one = queries.review_of(actor.person, glass_id)
        if one is None:
            raise NotFound
        context.open([one.grant], ("reason",))
        context.open([one], ("review_note", "incident_note"))
        context.saw(
            "break_glass", subjects=[one.patient_id], object_type="patients.BreakGlassGrant", object_id=one.pk
        )
        if one.is_open_incident and not isinstance(form, IncidentForm):
            form = IncidentForm(auto_id="incident_%s")
        shown = {
            "one": queue_row(one, at), "id": one.pk, "why": one.grant.reason, "note": one.review_note,
            "by": one.reviewed_by.full_name if one.reviewed_by else "", "protected_at": one.protected_at,
            "incident_note": one.incident_note, "incident_closed_at": one.incident_closed_at,
            "is_incident": one.is_open_incident, "looks": visits(queries.looks(one), None),
            "form": form, "conflict": conflict,
        }  # fmt: skip
        return render(request, "clinical/breakglass/review.html", shown, status=status)


@requires_any_staff
@require_POST
def notice_seen(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Put one of one's own notices away, and stay where one is."""
    mark_seen(actor=actor_of(request), notice_id=notice_id, with_kind="kind" in request.POST)
    return go_to(request, back(request, home_of(str(person(request).role))))
