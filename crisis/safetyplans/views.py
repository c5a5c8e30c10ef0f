"""Doors of a person's safety plan: its page, the form, versions, paper, and what is said of one in force."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cortex.access.context import KEYS_DOWN, AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import given_back
from cortex.ui.saving import refused_json, saved_json
from cortex.ui.zone import zone_of
from crisis.safetyplans import actions, queries, showing
from crisis.safetyplans.forms import RetireForm, SafetyPlanForm, initial_of, rearranged
from crisis.safetyplans.queries import WRITERS, Held, Lines, Reader
from patients.registry.access import READ_ONLY

LABEL = "crisis.SafetyPlan"
SAVED = "Saved as a draft. The plan in force stays as it is until you finish this one."


def _saw(context: AccessContext, who: Reader, plan_id: UUID | None, *sections: str) -> None:
    context.saw(
        "safety_plan", subjects=[who.person.pk], object_type=LABEL, object_id=plan_id, sections=sections
    )


def _look(request: HttpRequest, context: AccessContext, patient_id: UUID) -> tuple[Reader, dict[str, Any]]:
    """Return whose plan it is, and what stands around each of its pages."""
    actor, at = actor_of(request), clock()
    who = queries.reader(actor, patient_id, at)
    around = showing.frame_of(context, who.person, at)
    shown = {} if around else queries.head(context, who.person, at)
    return who, shown | {
        "patient": who.person, "frame": around, "at": at, "zone": zone_of(who.person.zone()),
        "may_write": queries.writes(actor, who.relation),
    }  # fmt: skip


@requires(*DESK_ROLES)
@require_GET
def safety_plan(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The plan in force, the draft beside it, and the versions before."""
    return _page(request, patient_id)


def _page(
    request: HttpRequest, patient_id: UUID, form: forms.Form | None = None, status: int = 200,
    conflict: Any = None,
) -> HttpResponse:  # fmt: skip
    with reading(actor_of(request), purpose="treatment") as context:
        who, shown = _look(request, context, patient_id)
        held = queries.held(who.ids)
        lines = queries.opened_lines(context, held.items)
        _saw(context, who, held.current.pk if held.current else None)
        versions, moment = queries.versions(who.ids), (shown["at"], shown["zone"])
        shown |= {
            "plan": showing.state(held.current, lines, *moment) if held.current else None,
            "sections": showing.sections(lines), "draft": held.draft, "token": held.token,
            "versions": [showing.state(one, {}, *moment) for one in versions],
            "reviews": queries.reviews_of(held.current) if held.current else [],
            "form": form or RetireForm(auto_id="rt_%s"), "conflict": conflict,
        }  # fmt: skip
        return render(request, "crisis/safetyplans/page.html", shown, status=status)


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def safety_plan_edit(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The form of the whole plan: save as a draft, finish, or a row more, moved or taken out.

    A script saves as somebody types: it hears JSON, or 409 with both texts.
    """
    if request.method == "GET":
        return _editor(request, patient_id)
    arranged = rearranged(request.POST, request.POST.get("arrange", ""))
    if arranged is not None:
        return _editor(request, patient_id, SafetyPlanForm(arranged), arranged=True)
    form, status, conflict = SafetyPlanForm(request.POST), 422, None
    if form.is_valid():
        try:
            return _done(request, patient_id, form)
        except (RuleBroken, *KEYS_DOWN) as error:
            if getattr(error, "code", "") == "changed_meanwhile":
                return _both(request, patient_id, form)
            status, conflict = given_back(request, form, error)
    if is_partial(request):
        return refused_json(form, status)
    return _editor(request, patient_id, form, status, conflict=conflict)


def _done(request: HttpRequest, patient_id: UUID, form: SafetyPlanForm) -> HttpResponse:
    # Finishing is a button's: what a script saves by itself stays a draft.
    finishes = "finish" in request.POST and not is_partial(request)
    run = actions.finish_plan if finishes else actions.save_draft
    plan = run(
        actor=actor_of(request), patient_id=patient_id, written=form.written(),
        seen=form.cleaned_data["seen"], page=form.page(),
    )  # fmt: skip
    if is_partial(request):
        return saved_json(plan.token, plan.saved_at)
    messages.success(request, "The plan is in force." if finishes else SAVED)
    name = "crisis:safety_plan" if finishes else "crisis:safety_plan_edit"
    return go_to(request, reverse(name, args=[patient_id]))


def _editor(
    request: HttpRequest, patient_id: UUID, form: SafetyPlanForm | None = None, status: int = 200,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    with reading(actor_of(request), purpose="treatment") as context:
        who, shown = _look(request, context, patient_id)
        if not who.may_write:
            raise RuleBroken(READ_ONLY, "read_only")
        held = queries.held(who.ids)
        _saw(context, who, held.draft.pk if held.draft else None, "edit")
        lines, fresh = _lines(context, who, held, shown["at"])
        form = form or SafetyPlanForm(lines=lines, initial=initial_of(held.draft or held.current, held.token))
        # Before anything asks for errors: a row that is only moved isn't judged yet.
        blocks = form.blocks()
        beside, is_cut = queries.words_beside(who.ids)
        shown |= {
            "form": form, "blocks": blocks, "held": held, "fresh": fresh, "beside": beside, "is_cut": is_cut,
        } | more  # fmt: skip
        return render(request, "crisis/safetyplans/edit.html", shown, status=status)


def _lines(context: AccessContext, who: Reader, held: Held, at: Any) -> tuple[Lines, bool]:
    """Return what the form begins with, and whether that is a plan that nobody wrote a word of yet."""
    if held.draft is not None:
        return queries.draft_lines(context, held.draft), False
    if held.current is not None:
        return queries.opened_lines(context, held.items), False
    return {"professionals_services": queries.services_of(who.person, at)}, True


def _both(request: HttpRequest, patient_id: UUID, form: SafetyPlanForm) -> HttpResponse:
    """Show what was typed beside what somebody saved meanwhile; both are kept, the next save knows of it."""
    actor, page, mine = actor_of(request), form.page(), form.written()
    actions.keep_beside(actor=actor, patient_id=patient_id, written=mine, page=page)
    typed: QueryDict = request.POST.copy()
    with reading(actor, purpose="treatment") as context:
        who = queries.reader(actor, patient_id, clock())
        held = queries.held(who.ids)
        newest = held.newest
        _saw(context, who, newest.pk if newest else None, "conflict")
        theirs = _lines(context, who, held, clock())[0] if newest else {}
        more = {
            "conflicts": True, "newest": newest, "token": held.token,
            "is_mine": newest is not None and newest.authored_by_id == actor.person.pk,
            "differs": showing.differs(form.lines(), theirs),
            "facts": showing.facts_differ(mine.facts(), newest),
        }  # fmt: skip
        if is_partial(request):
            return render(request, "crisis/safetyplans/_both.html", more, status=409)
    # What answers a conflict is a spell of its own: what was kept beside of this one stays as it is.
    typed["seen"], typed["spell"], typed["number"] = held.token, str(uuid4()), "1"
    return _editor(request, patient_id, SafetyPlanForm(typed), 409, **more)


@requires(*DESK_ROLES)
@require_GET
def safety_plan_version(request: HttpRequest, patient_id: UUID, plan_id: UUID) -> HttpResponse:
    """One finished version, and what became of it; to who writes also words that lie beside the plan."""
    with reading(actor_of(request), purpose="treatment") as context:
        who, shown = _look(request, context, patient_id)
        plan = queries.version(who.ids, plan_id, may_write=shown["may_write"])
        lines = queries.lines_of(context, plan)
        _saw(context, who, plan.pk, "beside" if plan.is_beside else "version")
        shown |= {
            "plan": showing.state(plan, lines, shown["at"], shown["zone"]),
            "sections": showing.sections(lines), "reviews": queries.reviews_of(plan),
            "is_beside": plan.is_beside, "saved_at": plan.saved_at,
        }  # fmt: skip
        return render(request, "crisis/safetyplans/version.html", shown)


@requires(*DESK_ROLES)
@require_GET
def safety_plan_print(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The plan in force for the person, in plain words and large type; the log says print."""
    with reading(actor_of(request), purpose="treatment") as context:
        who, shown = _look(request, context, patient_id)
        held = queries.held(who.ids)
        if held.current is None:
            return go_to(request, reverse("crisis:safety_plan", args=[patient_id]))
        lines = queries.opened_lines(context, held.items)
        _saw(context, who, held.current.pk, "print")
        shown |= {
            "plan": held.current, "sections": showing.sections(lines, own=True),
            "house": who.person.organization,
        }  # fmt: skip
        return render(request, "crisis/safetyplans/print.html", shown)


@requires(*WRITERS)
@require_POST
def safety_plan_review(request: HttpRequest, patient_id: UUID, plan_id: UUID) -> HttpResponse:
    """Say that the plan in force is still right."""
    actions.review_plan(actor=actor_of(request), patient_id=patient_id, plan_id=plan_id)
    messages.success(request, "Noted: the plan is still right.")
    return go_to(request, reverse("crisis:safety_plan", args=[patient_id]))


@requires(*WRITERS)
@require_POST
def safety_plan_retire(request: HttpRequest, patient_id: UUID, plan_id: UUID) -> HttpResponse:
    """Take the plan out of force, with the reason."""
    form = RetireForm(request.POST, auto_id="rt_%s")
    if not form.is_valid():
        return _page(request, patient_id, form, 422)
    try:
        actions.retire_plan(
            actor=actor_of(request),
            patient_id=patient_id,
            plan_id=plan_id,
            reason=form.cleaned_data["reason"],
        )
    except (RuleBroken, *KEYS_DOWN) as error:
        status, conflict = given_back(request, form, error)
        return _page(request, patient_id, form, status, conflict)
    return go_to(request, reverse("crisis:safety_plan", args=[patient_id]))


@requires(*WRITERS)
@require_POST
def safety_plan_discard(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Put the draft away."""
    seen = request.POST.get("seen", "")[:64]
    actions.discard_draft(actor=actor_of(request), patient_id=patient_id, seen=seen)
    return go_to(request, reverse("crisis:safety_plan", args=[patient_id]))
