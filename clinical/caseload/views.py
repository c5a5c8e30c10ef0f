"""Doors of the caseload: the list, its badges, kept views, ticking somebody off, and taking that back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.caseload import actions, queries, showing
from clinical.caseload.filters import Filters
from clinical.caseload.forms import ViewForm
from clinical.caseload.queries import THERAPISTS, Case
from clinical.sessions.models import SessionRun
from clinical.sessions.queries import runs_of
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import DOWN, given_back
from cortex.ui.templatetags.ui import risk
from patients.registry.access import CHART
from patients.registry.queries import found_by


@requires(*THERAPISTS)
@require_http_methods(["GET", "POST"])
def caseload(request: HttpRequest) -> HttpResponse:
    """Everybody whom the reader treats or covers, by need; one row in the access log names who was shown.

    A search is posted: what is typed would be somebody's name, and names never stand in an address.
    """
    return _list(request, Filters.read(request.POST if request.method == "POST" else request.GET))


def _list(
    request: HttpRequest, filters: Filters, *, form: ViewForm | None = None, status: int = 200,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    asked = "" if form else " ".join(request.POST.get("q", "").replace("\x00", "").split())[:80]
    with reading(actor, purpose="treatment", permission=CHART) as context:
        mark, everybody = queries.marked_caseload(actor.person, at)
        running = runs_of(actor.person.pk)
        chosen = [case for case in everybody if filters.holds(case)]
        end = queries.MOST if asked or "whole" in request.GET else showing.LINES
        queries.open_names(context, everybody if asked else _with_running(chosen[:end], everybody, running))
        if asked:
            home = actor.person.organization
            called = found_by(home, phone=asked).values_list("person_id", flat=True) if home else []
            chosen = [case for case in chosen if _is_meant(case, asked, set(called))]
        queries.add_moods(chosen[:end], at)
        shown: dict[str, Any] = {
            "first": None if asked or filters != Filters() else showing.first(everybody, actor.person.pk),
            "groups": showing.groups(chosen, 0, end),
            "rest": showing.rest(chosen, filters, end),
            "count": len(everybody),
            "tabs": showing.tabs(everybody, filters),
            "filters": filters,
            "selects": filters.selects(),
            "kept": [
                {"id": one.pk, "name": one.name, "href": f"?{Filters.read(one.filters).query()}",
                 "current": Filters.read(one.filters) == filters}
                for one in queries.views_of(context, actor.person)
            ],
            "q": asked,
            "is_cut": len(everybody) >= queries.MOST,
            "running": _running(everybody, running),
            "mark": mark,
            "form": form,
            "conflict": conflict,
        }  # fmt: skip
        part = "clinical/caseload/_list.html" if is_partial(request) else "clinical/caseload/page.html"
        return render(request, part, shown, status=status)


@requires(*THERAPISTS)
@require_GET
def case_rest(request: HttpRequest) -> HttpResponse:
    """The lines behind the first ones, which ask for them by their order; a list that has moved says so."""
    actor, filters = actor_of(request), Filters.read(request.GET)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        at = clock()
        cases = [one for one in queries.caseload(actor.person, at) if filters.holds(one)]
        if request.GET.get("order") != showing.order_mark(cases):
            return render(request, "clinical/caseload/_moved.html", {"filters": filters})
        queries.open_names(context, cases[showing.LINES :])
        queries.add_moods(cases[showing.LINES :], at)
        groups = showing.groups(cases, showing.LINES)
        return render(request, "clinical/caseload/_groups.html", {"groups": groups})


def _with_running(shown: list[Case], everybody: list[Case], running: list[SessionRun]) -> list[Case]:
    """Return the cases of the lines, and of those whom the reader sits with, wherever they stand."""
    people = {one.patient.person_id for one in running} - {case.who.person_id for case in shown}
    return [*shown, *(case for case in everybody if case.who.person_id in people)]


def _running(cases: list[Case], running: list[SessionRun]) -> list[dict[str, Any]]:
    """Return the sessions that the reader left open, with those whom they are with; the names are open."""
    names = {case.who.person_id: case.name or case.who.anonymous_id for case in cases}
    return [
        {"name": names[one.patient.person_id], "since": one.begun_at,
         "url": reverse("clinical:session", args=[one.patient_id, one.session_id])}
        for one in running
        if one.patient.person_id in names
    ]  # fmt: skip


def _is_meant(case: Case, asked: str, called: set[UUID]) -> bool:
    words = asked.casefold()
    named = words in case.name.casefold() or words in case.who.anonymous_id.casefold()
    return named or case.who.person_id in called


@requires(*THERAPISTS)
@require_GET
def case_badges(request: HttpRequest) -> HttpResponse:
    """What each line's badges are now, by id and without a name; a look like any other."""
    actor, at = actor_of(request), clock()
    filters = Filters.read(request.GET)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        mark, cases = queries.marked_caseload(actor.person, at)
        people = [case.who.pk for case in cases]
        context.saw("caseload", subjects=people, object_type="caseload", sections=["badges"])
        rows = {
            str(case.who.pk): {
                "stamp": case.stamp(), "level": risk(case.level), "why": case.place.why,
                "urgent": bool(case.alerts),
            }
            for case in cases
        }  # fmt: skip
        counts = {tab["key"]: tab["count"] for tab in showing.tabs(cases, filters)}
        return JsonResponse({"mark": mark, "rows": rows, "counts": counts})


@requires(*THERAPISTS)
@require_POST
def case_view_keep(request: HttpRequest) -> HttpResponse:
    """Keep the present filters under a name; a name that was not taken comes back with the page."""
    filters, form = Filters.read(request.POST), ViewForm(request.POST)
    if not form.is_valid():
        return _list(request, filters, form=form, status=422)
    try:
        actions.keep_view(actor=actor_of(request), name=form.cleaned_data["name"], filters=filters)
    except (RuleBroken, *DOWN) as error:
        status, conflict = given_back(request, form, error)
        return _list(request, filters, form=form, status=status, conflict=conflict)
    return go_to(request, _page(filters))


@requires(*THERAPISTS)
@require_POST
def case_view_remove(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Remove one of one's own views."""
    actions.remove_view(actor=actor_of(request), view_id=view_id)
    return go_to(request, reverse("clinical:caseload"))


@requires(*THERAPISTS)
@require_POST
def case_reviewed(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Tick somebody off until something new comes."""
    actions.mark_reviewed(actor=actor_of(request), patient_id=patient_id)
    return _ticked(request, patient_id, reviewed=True)


@requires(*THERAPISTS)
@require_POST
def case_unreviewed(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Take the last tick back."""
    actions.take_back_review(actor=actor_of(request), patient_id=patient_id)
    return _ticked(request, patient_id, reviewed=False)


def _ticked(request: HttpRequest, patient_id: UUID, *, reviewed: bool) -> HttpResponse:
    """Answer with the button that takes it back, where it stands: a list sorted anew would move."""
    filters = Filters.read(request.POST)
    if not is_partial(request):
        return go_to(request, _page(filters))
    tick = showing.tick_url(patient_id, reviewed)
    case = {"id": patient_id, "reviewed": reviewed, "group": "", "tick": tick}
    return render(request, "clinical/caseload/_tick.html", {"case": case})


def _page(filters: Filters) -> str:
    page, query = reverse("clinical:caseload"), filters.query()
    return f"{page}?{query}" if query else page
