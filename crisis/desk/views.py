"""Doors of the board and its lists."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from cortex.access.context import reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.limits import cover_when_idle, live_while_covered
from cortex.audit import actor_of
from cortex.clock import clock
from cortex.ui.pages import page_of
from crisis.desk import queries
from crisis.desk.boards import board_text
from crisis.desk.lateness import late_part
from crisis.desk.showing import Filters
from crisis.duty.actions import mute_sound, unmute_sound


@cover_when_idle
@live_while_covered
@requires(*DESK_ROLES)
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The live triage board of the organizations that the person's duty covers."""
    filters = Filters(
        mine=request.GET.get("mine") == "1",
        level=request.GET.get("level", "")[:8],
        language=request.GET.get("language", "")[:8],
    )
    actor = actor_of(request)
    with reading(actor, purpose="triage", relationship="duty") as context:
        text, topics = board_text(request, context, actor.person, filters)
        for topic, number in topics.items():
            context.saw(
                "board",
                organization_id=UUID(topic.partition(":")[2]),
                object_type="board",
                number_from=0,
                number_to=number,
            )
        return HttpResponse(text)


@live_while_covered
@requires(*DESK_ROLES)
@require_GET
def watch(request: HttpRequest) -> HttpResponse:
    """Where this person's feeds stand and how much waits in them, for a page that fell behind; no names."""
    actor = actor_of(request)
    with scoped(actor):
        return JsonResponse(queries.watched(actor.person, clock()))


@requires(*DESK_ROLES)
@require_GET
def board_shift(request: HttpRequest) -> HttpResponse:
    """Who is on shift, for a board that was told that it has changed."""
    with reading(actor_of(request), purpose="triage", relationship="duty") as context:
        shown = queries.shift_part(context, actor_of(request).person, clock())
        return render(request, "crisis/alerts/_shift.html", shown)


@requires(*DESK_ROLES)
@require_GET
def board_readings(request: HttpRequest) -> HttpResponse:
    """Which second readings wait, for a board that was told that they have changed."""
    with reading(actor_of(request), purpose="triage", relationship="duty") as context:
        shown = queries.readings_part(context, actor_of(request).person, clock())
        return render(request, "crisis/alerts/_second_readings.html", shown)


@requires(*DESK_ROLES)
@require_GET
def board_today(request: HttpRequest) -> HttpResponse:
    """What is to review today and how much is due or done, for a board that was told that it has changed."""
    with reading(actor_of(request), purpose="triage", relationship="duty") as context:
        shown = queries.today_part(context, actor_of(request).person, clock())
        return render(request, "crisis/alerts/_review_today.html", shown)


@requires(*DESK_ROLES)
@require_GET
def board_late(request: HttpRequest) -> HttpResponse:
    """Whether alerts may arrive late, for a board that was told that this has changed."""
    user = actor_of(request).person
    topics = [f"board:{one}" for one in sorted(actor_of(request).reach)]
    return render(request, "crisis/alerts/_late.html", {"late": late_part(user, topics, clock())})


@requires(*DESK_ROLES)
@require_GET
def my_cases(request: HttpRequest) -> HttpResponse:
    """The alerts that the person owns, and those that they ended within a day."""
    with reading(actor_of(request), purpose="triage", relationship="claim") as context:
        shown = queries.my_cases(actor_of(request).person, clock())
        context.saw("alert.list", object_type="my_cases", subjects=shown.pop("subjects"))
        return render(request, "crisis/alerts/my_cases.html", shown)


@requires(*DESK_ROLES)
@require_GET
def resolved(request: HttpRequest) -> HttpResponse:
    """The alerts of the desk that ended within a day."""
    with reading(actor_of(request), purpose="triage", relationship="duty") as context:
        page = page_of(queries.ended(request.user, clock()), request.GET.get("page"))  # type: ignore[arg-type]
        subjects = queries.subjects_of(page.object_list)
        context.saw("alert.list", object_type="resolved", subjects=subjects)
        page.object_list = queries.ended_rows(page.object_list)
        return render(request, "crisis/alerts/resolved.html", {"page": page})


@requires(*DESK_ROLES)
@require_POST
def mute(request: HttpRequest) -> HttpResponse:
    """Mute the alarm sound for five minutes, or take that back (`seconds` is 0); the trail knows."""
    change = unmute_sound if request.POST.get("seconds") == "0" else mute_sound
    change(actor=actor_of(request))
    return HttpResponse(status=204)
