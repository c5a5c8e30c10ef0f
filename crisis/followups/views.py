"""Doors of promised contacts: the list, and what came of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from cortex.access.context import KEYS_DOWN, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, render_part
from cortex.ui.rules import given_back
from crisis.followups import actions, queries
from crisis.followups.forms import FollowUpForm

RAISED = "What you found of the means raised an alert, or joined one that is open."


@requires(*DESK_ROLES)
@require_GET
def followups(request: HttpRequest) -> HttpResponse:
    """The contacts that were promised, by when they are due."""
    with reading(actor_of(request), purpose="triage", relationship="duty") as context:
        groups = queries.groups(context, request.user, clock())  # type: ignore[arg-type]
        return render(request, "crisis/followups/list.html", {"groups": groups})


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def followup_done(request: HttpRequest, follow_up_id: UUID) -> HttpResponse:
    """Log what came of a follow-up contact; whatever refuses it, the form comes back with what was typed.

    `look` brings it back with the screeners that were saved meanwhile, and asks for nothing.
    """
    is_look = "look" in request.POST
    form, status, conflict = None, 200, None
    if "outcome" in request.POST and not is_look:
        with scoped(actor_of(request)):
            asked = queries.asked_in(request.user, follow_up_id)  # type: ignore[arg-type]
        form, status = _form(asked, request.POST), 422
    if form is not None and form.is_valid():
        typed = {name: form.cleaned_data[name] for name in ("outcome", "channel", "note")}
        try:
            row = actions.finish_follow_up(
                actor=actor_of(request), follow_up_id=follow_up_id, checks=form.checks(), **typed
            )
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            if row.raised:
                messages.warning(request, RAISED)
            return go_to(request, reverse("crisis:followups"))
    with reading(actor_of(request), purpose="follow_up", relationship="duty") as context:
        asked = queries.asked_in(request.user, follow_up_id)  # type: ignore[arg-type]
        if form is None:
            form = _form(asked, initial=request.POST.dict() if is_look else None)
        context.saw(
            "follow_up", object_type="crisis.FollowUp", object_id=follow_up_id, subjects=[asked.person.pk]
        )
        shown = {"form": form, "row": queries.page(context, asked, clock()), "conflict": conflict}
        page, part = "crisis/followups/page.html", "crisis/followups/_form.html"
        return render_part(request, page, part, shown, status=status)


def _form(asked: queries.Asked, data: Any = None, initial: dict[str, Any] | None = None) -> FollowUpForm:
    found = [(one.source_id, one.observed_at, one.tier) for one in asked.screeners if one.source_id]
    return FollowUpForm(data, initial=initial, screeners=found, plan_of=asked.plan_of)
