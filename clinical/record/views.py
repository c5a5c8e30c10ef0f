"""Doors of a chart's sections: people, consent, crises, and who looked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.pathway import queries as pathway
from clinical.record import actions, queries, showing
from clinical.record.forms import ConsentForm, ContactForm, MemberForm, SeenForm
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import context_of, given_back
from crisis.alerts.access import READERS
from patients.pathway.queries import TREATING
from patients.registry.access import CHART

PATIENT = "patients.Patient"


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def chart_people(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Whom to call, who cares and since when, who answers now; POST lets somebody join the team."""
    form = _member_form(request, *_typed(request))
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            actions.add_member(actor=actor_of(request), patient_id=patient_id, **form.member())
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, request.path)
    return _people(request, patient_id, form, status, conflict)


def _member_form(request: HttpRequest, *typed: Any) -> MemberForm:
    colleagues = queries.colleagues(actor_of(request).person, DESK_ROLES)
    return MemberForm(*typed, colleagues=colleagues, auto_id="member_%s")


def _people(
    request: HttpRequest, patient_id: UUID, form: forms.Form, status: int, conflict: Any
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at, with_contacts=True)
        team = queries.team(context, head.ids)
        closed = pathway.endings(context, head.ids)
        retired = queries.retired(context, head.person)
        told = showing.self_told(queries.self_told(context, head.ids))
        context.saw(
            "people", subjects=[head.patient.pk], object_type=PATIENT, object_id=head.patient.pk,
            sections=["self_told"] if told else [],
        )  # fmt: skip
        shown = showing.top(head, "people") | {
            "team": showing.places(team, at), "form": form, "conflict": conflict, "endings": closed,
            "answers": pathway.answers(head.patient, team, at), "self_told": told,
            "may_end_care": actor.role in TREATING and head.banner["may_decide_care"],
            "calls": showing.calls(head.person, retired, patient_id, _uuid(request.GET.get("retired", ""))),
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
def chart_contact_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The form of somebody to call; POST puts them on record."""
    form, status, conflict = ContactForm(*_typed(request), auto_id="contact_%s"), 200, None
    if form.is_bound:
        try:
            if form.is_valid():
                actions.add_contact(actor=actor_of(request), patient_id=patient_id, **form.contact())
                return _told(request, patient_id, "Added to those to call.")
            status = 422
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
    return _contact(request, patient_id, None, form, status, conflict)


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def chart_contact(request: HttpRequest, patient_id: UUID, contact_id: UUID) -> HttpResponse:
    """The form of one contact; POST corrects it, and one that changed meanwhile is shown beside it."""
    form, status, conflict = ContactForm(*_typed(request), auto_id="contact_%s"), 200, None
    is_stale = False
    if form.is_bound:
        try:
            if form.is_valid():
                actions.correct_contact(
                    actor=actor_of(request), patient_id=patient_id, contact_id=contact_id,
                    seen=SeenForm(request.POST).moment(), **form.contact(),
                )  # fmt: skip
                return _told(request, patient_id, "The contact is corrected.")
            status = 422
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
            is_stale = isinstance(error, RuleBroken) and error.code == "stale"
    return _contact(request, patient_id, contact_id, form, status, conflict, is_stale=is_stale)


def _typed(request: HttpRequest) -> list[Any]:
    return [request.POST] if request.method == "POST" else []


def _told(request: HttpRequest, patient_id: UUID, words: str) -> HttpResponse:
    messages.success(request, words)
    return go_to(request, reverse("clinical:chart_people", args=[patient_id]))


def _contact(
    request: HttpRequest,
    patient_id: UUID,
    contact_id: UUID | None,
    form: ContactForm,
    status: int,
    conflict: Any,
    *,
    is_stale: bool = False,
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at, writes=True)
        try:
            found = queries.contact_entry(context, head.patient.person_id, contact_id, at)
        except RuleBroken as error:
            if contact_id is None or not form.is_bound or error.code != "contacts_closed":
                raise
            # They closed while the form was open: what was typed comes back, and nothing of the contact.
            status, conflict = given_back(request, form, error)
            found = queries.closed_entry(head.patient.person_id, contact_id)
        spoken = found.contact.language if found.contact else str(form["language"].value() or "")
        form.offer(found.places, spoken[:16])
        form.initial = showing.typed_from(found)
        page = showing.entry(found, patient_id, request.POST.get("seen", ""), is_stale=is_stale)
        shown = showing.top(head, "people") | {"form": form, "conflict": conflict, "page": page}
        return render(request, "clinical/record/contact.html", shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def chart_contact_retire(request: HttpRequest, patient_id: UUID, contact_id: UUID) -> HttpResponse:
    """Say that somebody is not to be called any more; the page that follows offers to undo it."""
    try:
        actions.retire_contact(
            actor=actor_of(request), patient_id=patient_id, contact_id=contact_id,
            seen=SeenForm(request.POST).moment(),
        )  # fmt: skip
    except RuleBroken as error:
        if error.status != 409:
            raise
        return _people(request, patient_id, _member_form(request), 409, context_of(request, error))
    page = reverse("clinical:chart_people", args=[patient_id])
    return go_to(request, f"{page}?retired={contact_id}")


@requires(*DESK_ROLES)
@require_POST
def chart_contact_restore(request: HttpRequest, patient_id: UUID, contact_id: UUID) -> HttpResponse:
    """Take a retirement back."""
    actions.restore_contact(actor=actor_of(request), patient_id=patient_id, contact_id=contact_id)
    return _told(request, patient_id, "They stand among those to call again.")


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
        states = showing.consent_states(rows, patient_id, head.patient.person_id, at)
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
        shown = showing.top(head, "access") | showing.look_rows(found, actor.id)
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
        shown = showing.top(head, "crisis") | showing.crisis_rows(queries.crises(context, head.ids, at))
        if head.banner["level"] == "critical" and actor.role in READERS and context.broken_glass is None:
            shown["step_down_url"] = reverse("crisis:step_down", args=[head.patient.person_id])
        return render(request, "clinical/record/crisis.html", shown)
