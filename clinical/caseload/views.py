"""Doors of the caseload: the list, ticking somebody off, and taking that back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.assessments.drawing import spark
from clinical.assessments.wording import band_label, direction, signed
from clinical.caseload import actions, queries
from clinical.caseload.queries import Case
from clinical.caseload.ranking import GROUPS
from clinical.sessions.queries import runs_of
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from patients.registry.access import CHART
from patients.registry.queries import found_by

THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)
VIEWS = (
    ("all", "Everybody"),
    ("need", "Asks for you"),
    ("off_track", "Not on track"),
    ("due", "Measures due"),
    ("silent", "Nothing heard"),
    ("reviewed", "Reviewed"),
)


@requires(*THERAPISTS)
@require_http_methods(["GET", "POST"])
def caseload(request: HttpRequest) -> HttpResponse:
    """Everybody whom the reader treats or covers, by need; one row in the access log names who was shown.

    A search is posted: what is typed would be somebody's name, and names never stand in an address.
    """
    actor, at = actor_of(request), clock()
    typed = request.POST if request.method == "POST" else request.GET
    which = typed.get("view", "")
    which = which if which in dict(VIEWS) else "all"
    asked = " ".join(request.POST.get("q", "").replace("\x00", "").split())[:80]
    with reading(actor, purpose="treatment", permission=CHART) as context:
        everybody = queries.caseload(actor.person, at)
        queries.open_names(context, everybody)
        chosen = [case for case in everybody if _is_in(case, which)]
        if asked:
            home = actor.person.organization
            called = found_by(home, phone=asked).values_list("pk", flat=True) if home else []
            chosen = [case for case in chosen if _is_meant(case, asked, set(called))]
        shown = {
            "groups": _groups(chosen),
            "count": len(everybody),
            "chosen": len(chosen),
            "tabs": _tabs(everybody, which),
            "view": which,
            "q": asked,
            "is_cut": len(everybody) >= queries.MOST,
            "running": _running(everybody, actor.person.pk),
        }
        part = "clinical/caseload/_list.html" if is_partial(request) else "clinical/caseload/page.html"
        return render(request, part, shown)


def _running(cases: list[Case], user_id: UUID) -> list[dict[str, Any]]:
    """Return the sessions that the reader left open, with those whom they are with; the names are open."""
    names = {case.patient.person_id: case.name or case.patient.anonymous_id for case in cases}
    return [
        {"name": names[one.patient.person_id], "since": one.begun_at,
         "url": reverse("clinical:session", args=[one.patient_id, one.session_id])}
        for one in runs_of(user_id)
        if one.patient.person_id in names
    ]  # fmt: skip


def _is_in(case: Case, which: str) -> bool:
    if which == "need":
        return case.place.group != "steady"
    if which == "off_track":
        return any(one.track().state == "not_on_track" for one in case.courses.values())
    if which == "due":
        return bool(case.due)
    if which == "reviewed":
        return case.reviewed
    return which == "all" or case.place.group == which


def _is_meant(case: Case, asked: str, called: set[UUID]) -> bool:
    words = asked.casefold()
    named = words in case.name.casefold() or words in case.patient.anonymous_id.casefold()
    return named or case.patient.pk in called


def _groups(cases: list[Case]) -> list[dict[str, Any]]:
    found = []
    for key, title, about in GROUPS:
        rows = [row_of(case) for case in cases if case.place.group == key]
        if rows:
            found.append({"key": key, "title": title, "about": about, "rows": rows})
    return found


def _tabs(cases: list[Case], which: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "href": f"?view={key}", "current": key == which,
         "count": sum(_is_in(case, key) for case in cases)}
        for key, label in VIEWS
    ]  # fmt: skip


def row_of(case: Case) -> dict[str, Any]:
    """Return one person as a line of the list."""
    return {
        "id": case.patient.pk,
        "name": case.name or case.patient.anonymous_id,
        "pseudonym": case.patient.anonymous_id,
        "age": case.patient.get_age_band_display(),
        "level": case.level,
        "why": case.place.why,
        "group": case.place.group,
        "covers": case.covers,
        "moods": spark(case.moods, f"Mood over 14 days, {case.check_ins} answers"),
        "check_ins": case.check_ins,
        "measures": [_measure(case, key) for key in ("phq9", "gad7")],
        "last": case.last_session.started_at if case.last_session else None,
        "heard": case.last_heard,
        "next": case.next_session.started_at if case.next_session else None,
        "due": [title for title, _ in case.due],
        "tasks": len(case.items),
        "alerts": [
            {"url": reverse("crisis:alert_page", args=[one.pk]), "level": one.level,
             "owner": one.assigned_to.full_name if one.assigned_to else ""}
            for one in case.alerts
        ],
        "reviewed": case.reviewed,
        "reviewed_at": case.mark.reviewed_at if case.mark else None,
    }  # fmt: skip


def _measure(case: Case, key: str) -> dict[str, Any] | None:
    course = case.courses.get(key)
    if course is None or course.latest is None:
        return None
    change = course.since_last()
    return {
        "title": course.definition.title,
        "total": course.latest.total,
        "band": band_label(course, course.latest.band),
        "delta": signed(change.points) if change else "",
        "direction": direction(course),
    }


@requires(*THERAPISTS)
@require_POST
def case_reviewed(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Tick somebody off until something new comes."""
    actions.mark_reviewed(actor=actor_of(request), patient_id=patient_id)
    return go_to(request, _back(request))


@requires(*THERAPISTS)
@require_POST
def case_unreviewed(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Take the last tick back."""
    actions.take_back_review(actor=actor_of(request), patient_id=patient_id)
    return go_to(request, _back(request))


def _back(request: HttpRequest) -> str:
    view = request.POST.get("view", "")
    page = reverse("clinical:caseload")
    return f"{page}?view={view}" if view in dict(VIEWS) else page
