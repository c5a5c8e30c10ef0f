"""Doors of the own shift: start with a sound test, break, end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cortex.access.context import reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import InputRefused, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from crisis.desk.shifts import duty_page, end_page
from crisis.duty import actions


@requires(*DESK_ROLES)
@require_GET
def duty(request: HttpRequest) -> HttpResponse:
    """The person's own shift, what is planned, and who else is on."""
    actor = actor_of(request)
    with reading(actor, purpose="duty", relationship="duty") as context:
        return render(request, "crisis/duty/page.html", duty_page(context, actor.person, clock()))


@requires(*DESK_ROLES)
@require_POST
def duty_start(request: HttpRequest) -> HttpResponse:
    """Start the shift, or come back from a break or from an end that was a slip."""
    actor = actor_of(request)
    if request.POST.get("sound") == "resumed":
        actions.resume_shift(actor=actor)
    else:
        heard = request.POST.get("sound_heard") == "1"
        actions.start_shift(actor=actor, shift_id=_shift_id(request), sound_tested=heard)
    return go_to(request, reverse("crisis:board"))


def _shift_id(request: HttpRequest) -> UUID | None:
    raw: Any = request.POST.get("shift")
    try:
        return UUID(raw) if raw else None
    except ValueError as error:
        raise InputRefused("This is no shift.", "bad_id", field="shift") from error


@requires(*DESK_ROLES)
@require_POST
def duty_pause(request: HttpRequest) -> HttpResponse:
    """Take a break."""
    minutes = request.POST.get("minutes", "")
    actions.pause_shift(actor=actor_of(request), minutes=int(minutes) if minutes.isdecimal() else 0)
    return go_to(request, reverse("crisis:duty"))


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def duty_end(request: HttpRequest) -> HttpResponse:
    """Say what becomes of open claims, then end the shift; the sweeper looks after those that stay open."""
    actor = actor_of(request)
    if request.method == "GET":
        with scoped(actor):
            return render(request, "crisis/duty/end.html", end_page(actor.person, clock()))
    actions.end_shift(actor=actor)
    return go_to(request, reverse("crisis:duty"))
