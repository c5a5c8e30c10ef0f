"""Doors of a plan: its page, begin, change, sign, approve, agree, move, versions, and the printed plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.plans import actions, queries
from clinical.plans.allergies.charted import KEY as ALLERGIES
from clinical.plans.allergies.showing import listed
from clinical.plans.allergies.showing import printed as printed_allergies
from clinical.plans.approvals.queries import agreements, approvers_of
from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.plans.doors import READERS, WRITERS, Look, Page, back_to_plan, edit, look, seen
from clinical.plans.endings import queries as endings
from clinical.plans.forms import ApprovalForm, PlanForm, SignForm
from clinical.plans.medications.queries import medications_of
from clinical.plans.models import TreatmentPlan
from clinical.plans.outcomes.queries import outcomes
from clinical.plans.outcomes.showing import outcome_card
from clinical.plans.showing import means_safety, medication_rows, plan_page, printed
from clinical.plans.signing import queries as signing
from clinical.plans.versions import differences, is_intact, readable, without
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role, User
from cortex.accounts.signin.recent import ask_again_unless_recent, is_recent
from cortex.audit import InputRefused, RuleBroken, actor_of
from cortex.ui.pages import go_to
from crisis.resources.queries import resources_near, row_of
from patients.registry.access import CHART
from patients.registry.queries import local_day

SPAN = timedelta(days=90)


@requires(*READERS)
@require_GET
def plan(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """A person's plan: goals with their pace, what is done, diagnoses, medications, allergies, versions."""
    actor = actor_of(request)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = look(context, request, patient_id, "plan", "goals", "diagnoses", "medications", "allergies")
        view = queries.plan_view(context, found.patient, found.plan, found.at) if found.plan else None
        if view is not None:
            view.agreed = agreements(view.plan.pk, view.versions)
        approvers = _approvers(found, view)
        diagnoses, withheld = found.shut.open_of(diagnoses_of(found.patient))
        prescribed, today = medications_of(found.patient), local_day(found.patient, found.at)
        medications, medications_withheld = found.shut.open_of(prescribed)
        context.open(diagnoses)
        context.open(medications)
        allergies = found.read[ALLERGIES]
        context.open([one for one in allergies if not one.none_known])
        ended = queries.ended_plans(found.patient)
        shown = found.frame() | plan_page(found, view)
        shown |= {
            "diagnoses": [one for one in diagnoses if not one.is_in_error],
            "wrong_diagnoses": [one for one in diagnoses if one.is_in_error], "withheld": withheld,
            "medications": medication_rows([one for one in medications if not one.is_in_error], today),
            "wrong_medications": [one for one in medications if one.is_in_error],
            "medications_withheld": medications_withheld, "ended": ended,
            "ending": _ending(found, ended, actor.id),
            "allergies": listed(allergies),
            "outcomes": outcome_card(outcomes(found.patient.person_id, found.at)),
            "may_write": actor.role in WRITERS and not found.by_break_glass,
            "approvers": [one.full_name for one in approvers],
            "may_approve": actor.id in {one.pk for one in approvers},
            **means_safety(prescribed, medications, today),
        }  # fmt: skip
        return render(request, "clinical/plans/page.html", shown)


def _ending(found: Look, ended: list[TreatmentPlan], user_id: UUID | None) -> dict[str, Any] | None:
    """Return how the last plan ended while no other one is open, and why that can't be taken back."""
    how = endings.ending_of(ended[0]) if ended and found.plan is None else None
    if how is None:
        return None
    return {"how": how, "plan": ended[0], "kept": endings.kept_because(ended[0], how, user_id, found.at)}


def _approvers(found: Look, view: queries.PlanView | None) -> list[User]:
    """Return who may give a word on the version that waits; nobody is asked about where none does."""
    if view is None or not view.needs_approval:
        return []
    return approvers_of(found.patient, found.at, besides=view.versions[0].signed_by_id)


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def plan_begin(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Begin a plan as a draft."""

    def make(found: Look, data: Any) -> PlanForm:
        if data is None:
            queries.refuse_after_care(found.patient, found.at)
        today = local_day(found.patient, found.at)
        return PlanForm(data, initial={"start": today, "target_end": today + SPAN}, auto_id="p_%s")

    about = "It stays a draft until you sign it. Goals, interventions and diagnoses come next."
    return edit(
        request, patient_id, Page("Begin a plan", "Begin the plan", about), make,
        lambda data: actions.begin_plan(actor=actor_of(request), patient_id=patient_id, **data),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def plan_edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Change what the plan says of itself."""

    def make(found: Look, data: Any) -> PlanForm:
        plan = found.the_plan()
        found.shows(plan)
        found.context.open([plan], actions.WORDS)
        initial = {name: getattr(plan, name) for name in (*actions.FIELDS, *actions.WORDS)}
        return PlanForm(data, initial=initial, auto_id="p_%s")

    about = (
        "After signing a change begins a new version. What was signed stays in force until you sign again."
    )
    return edit(
        request, patient_id, Page("Change the plan", "Save", about), make,
        lambda data: actions.change_plan(
            actor=actor_of(request), patient_id=patient_id, seen=seen(request), **data
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def plan_sign(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Sign the plan as it stands, after password or factor."""
    if request.method == "POST":
        ask_again_unless_recent(request, "Sign the plan")

    def more(found: Look) -> dict[str, Any]:
        plan = found.the_plan()
        before = queries.version_of(plan.pk, plan.signed_version) if plan.signed_version else None
        hidden = signing.hidden_of(found.patient, found.shut)
        content, digest = signing.to_sign(found.context, found.patient, plan, found.at)
        found.stamps.append(digest.hex())
        content = without(content, hidden)
        if before is not None:
            found.context.open([before])
        changes = differences(without(before.content, hidden), content) if before else []
        return {
            "changes": changes, "before": before,
            "content": readable(content), "asks": not is_recent(request),
        }  # fmt: skip

    def run(data: dict[str, Any]) -> None:
        told = seen(request)
        if told is None:
            raise InputRefused("Read the plan as it stands here, then sign it.", "not_read")
        actions.sign_plan(actor=actor_of(request), patient_id=patient_id, seen=told, **data)

    page = Page(
        "Sign the plan", "Sign", "What you sign is kept as it is; later changes become the next version.",
        "clinical/plans/sign.html", "plan.sign", more,
    )  # fmt: skip
    return edit(request, patient_id, page, lambda _, data: SignForm(data, auto_id="s_%s"), run)


@requires(Role.SUPERVISOR)
@require_http_methods(["GET", "POST"])
def plan_approve(request: HttpRequest, patient_id: UUID, version: int) -> HttpResponse:
    """A supervisor's word on a signed version."""

    def more(found: Look) -> dict[str, Any]:
        signed = queries.plans_version(found.patient, found.the_plan().pk, version)
        found.context.open([signed])
        content = without(signed.content, signing.hidden_of(found.patient, found.shut))
        return {"signed": signed, "content": readable(content)}

    page = Page(
        "Approve the plan", "Send", template="clinical/plans/approve.html", section="plan.approve", more=more
    )

    def run(data: dict[str, Any]) -> None:
        actions.decide_approval(
            actor=actor_of(request), patient_id=patient_id, version=version,
            approved=data["approved"] == "yes", note=data["note"],
        )  # fmt: skip

    return edit(request, patient_id, page, lambda _, data: ApprovalForm(data, auto_id="a_%s"), run)


@requires(*WRITERS)
@require_POST
def plan_agree(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Note that the person has agreed."""
    told = request.POST.get("version", "")[:6]
    if not (told.isascii() and told.isdigit()):
        raise RuleBroken("Say which version the person agreed to.", "version_unknown", status=422)
    actions.record_agreement(actor=actor_of(request), patient_id=patient_id, version=int(told))
    return back_to_plan(request, patient_id)


@requires(*WRITERS)
@require_POST
def plan_move(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Put the plan on hold, or take it up again."""
    move = request.POST.get("move", "")[:16]
    actions.move_plan(actor=actor_of(request), patient_id=patient_id, move=move)
    return back_to_plan(request, patient_id)


@requires(*READERS)
@require_GET
def plan_version(request: HttpRequest, patient_id: UUID, plan_id: UUID, version: int) -> HttpResponse:
    """What was signed, and how it differs from the version before."""
    with reading(actor_of(request), purpose="treatment", permission=CHART) as context:
        found = look(context, request, patient_id, "plan.version")
        if found.by_break_glass:
            raise RuleBroken("Signed versions open to the care team alone.", "team_only")
        signed = queries.plans_version(found.patient, plan_id, version)
        before = queries.version_of(plan_id, version - 1)
        context.open([one for one in (signed, before) if one is not None])
        hidden = signing.hidden_of(found.patient, found.shut)
        content = without(signed.content, hidden)
        changes = differences(without(before.content, hidden), content) if before else []
        shown = found.frame() | {
            "signed": signed,
            "agreed": agreements(plan_id, [signed]).get(version),
            "before": before,
            "changes": changes,
            "content": readable(content),
            "intact": is_intact(signed),
        }
        return render(request, "clinical/plans/version.html", shown)


@requires(*READERS)
@require_GET
def plan_print(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The plan for the person, in plain words and large type."""
    with reading(actor_of(request), purpose="treatment", permission=CHART) as context:
        found = look(context, request, patient_id, "plan.print", "allergies")
        if found.plan is None:
            return go_to(request, reverse("clinical:plan", args=[patient_id]))
        view = queries.plan_view(context, found.patient, found.plan, found.at)
        allergies = found.read[ALLERGIES]
        context.open([one for one in allergies if one.stands], ("substance",))
        house = found.patient.organization
        lines = [row_of(one, found.at) for one in resources_near(house.jurisdiction, house.pk)]
        lines = [one for one in lines if one["phone"] != house.emergency_number]
        lines = [one for one in lines if one["verified"]] or lines
        shown = found.frame() | {
            "said": printed(found, view, local_day(found.patient, found.at)), "house": house,
            "lines": lines, "today": found.at, "allergies": printed_allergies(allergies),
        }  # fmt: skip
        return render(request, "clinical/plans/print.html", shown)
