"""Doors of neural audio for one person: the page, the check, the profile, the assignment, proposals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinical.sessions import queries as sessions
from clinical.sessions.neural import actions, queries
from clinical.sessions.neural.contraindications import reasons_against
from clinical.sessions.neural.forms import BandForm, CheckForm, ProfileForm
from clinical.sessions.neural.proposals import FIELD_WORDS
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.registry.access import CHART
from patients.sessions.neural import Band, NeuralProfile

# Only these decide what suits somebody.
DECIDERS = (Role.THERAPIST, Role.PSYCHIATRIST)


@requires(*DESK_ROLES)
@require_GET
def neural(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """One person's neural audio: whether it may be given, the profile, and what is proposed."""
    return _page(request, patient_id)


def _page(
    request: HttpRequest, patient_id: UUID, status: int = 200, conflict: Any = None, **bound: Any
) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = sessions.head(context, actor, patient_id, at)
        profile, who = queries.profile_of(head.ids), head.reach(actor, at)
        context.open([profile] if profile else [], ["contraindications"])
        context.saw("neural_profile", subjects=[head.patient.pk], object_type="patients.NeuralProfile")
        answers = profile.contraindications if profile else None
        one = profile or NeuralProfile()
        initial = {name: getattr(one, name) for name in actions.SETTABLE}
        shown = head.shown() | {
            "tab": "sessions",
            "profile": profile,
            "against": reasons_against(answers, queries.factors_of(head.patient, at)),
            "warnings": queries.warnings_of(one),
            "bands": [
                {"label": Band(band).label, "low": low, "high": high, "paused": band in one.paused_bands,
                 "assigned": band == one.assigned_band}
                for band, (low, high) in one.bounds().items()
            ],
            "proposals": [_proposal(row) for row in queries.open_proposals(head.ids, who)],
            "decided": [_proposal(row) for row in queries.decided_proposals(head.ids, who)],
            "withheld": queries.proposals_withheld(head.ids, who),
            "check_form": CheckForm(answers=answers, auto_id="check_%s"),
            "band_form": BandForm(initial={"band": one.assigned_band}, auto_id="band_%s"),
            "profile_form": ProfileForm(initial=initial, auto_id="profile_%s"),
            "may_decide": actor.person.role in DECIDERS and head.banner["may_write"],
            "conflict": conflict,
        } | bound  # fmt: skip
        return render(request, "clinical/sessions/neural.html", shown, status=status)


def _proposal(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "what": FIELD_WORDS[row.field],
        "band": row.get_band_display(),
        "from": row.from_value,
        "to": row.to_value,
        "reason": row.get_reason_code_display(),
        "count": row.evidence_n,
        "newest": row.newest_at,
        "status": row.get_status_display(),
        "by": row.decided_by.full_name if row.decided_by_id else "",
        "at": row.decided_at,
    }


def _command(
    request: HttpRequest, patient_id: UUID, name: str, form: forms.Form, run: Callable[..., Any]
) -> HttpResponse:
    """Run one command of the page, or give its form back with what was refused."""
    status, conflict = 422, None
    if form.is_valid():
        try:
            run(actor=actor_of(request), patient_id=patient_id)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:neural", args=[patient_id]))
    return _page(request, patient_id, status, conflict, **{name: form})


@requires(*DECIDERS)
@require_POST
def neural_check(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Keep what the person was asked."""
    form = CheckForm(request.POST, auto_id="check_%s")

    def run(**who: Any) -> Any:
        return actions.check_contraindications(answers=form.cleaned_data, **who)

    return _command(request, patient_id, "check_form", form, run)


@requires(*DECIDERS)
@require_POST
def neural_assign(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Assign one band, unless something forbids it."""
    form = BandForm(request.POST, auto_id="band_%s")

    def run(**who: Any) -> Any:
        return actions.assign_band(band=form.cleaned_data["band"], **who)

    return _command(request, patient_id, "band_form", form, run)


@requires(*DECIDERS)
@require_POST
def neural_profile(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Set levels and bounds by hand."""
    form = ProfileForm(request.POST, auto_id="profile_%s")

    def run(**who: Any) -> Any:
        return actions.set_profile(values=form.cleaned_data, **who)

    return _command(request, patient_id, "profile_form", form, run)


@requires(*DECIDERS)
@require_POST
def neural_end(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """End the assignment."""
    actions.end_assignment(actor=actor_of(request), patient_id=patient_id)
    return go_to(request, reverse("clinical:neural", args=[patient_id]))


@requires(*DECIDERS)
@require_POST
def neural_decide(request: HttpRequest, patient_id: UUID, proposal_id: UUID) -> HttpResponse:
    """Accept a proposal or refuse it."""
    accept = request.POST.get("decision") == "accept"
    try:
        actions.decide_proposal(
            actor=actor_of(request), patient_id=patient_id, proposal_id=proposal_id, accept=accept
        )
    except (RuleBroken, *KEYS_DOWN) as error:
        return _page(request, patient_id, *given_back(request, forms.Form(), error))
    return go_to(request, reverse("clinical:neural", args=[patient_id]))
