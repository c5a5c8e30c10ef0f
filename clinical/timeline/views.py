"""Doors of a timeline: a page of it, a search, pins, and words on what a machine found."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.chart import banner
from clinical.sessions import queries as sessions
from clinical.sessions.forms import PURPOSES, WordsForm
from clinical.sessions.told import lines_of
from clinical.sessions.words.showing import read_words
from clinical.timeline import actions, queries
from clinical.timeline.forms import FilterForm, FindingForm
from clinical.timeline.registry import Cursor, kinds
from clinical.timeline.showing import by_month
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import DOWN, given_back
from cortex.ui.zone import zone_of
from crisis.risk.queries import read_in
from patients.registry.access import CHART


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def timeline(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """One page of everything about a person; a search is posted, since what is typed may be a name."""
    return _page(request, patient_id)


def _page(
    request: HttpRequest, patient_id: UUID, *, form: FindingForm | None = None, finding: UUID | None = None,
    status: int = 200, conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    form_of = FilterForm(request.POST if request.method == "POST" and form is None else request.GET)
    asked = form_of.asked()
    words = "" if form else " ".join(request.POST.get("q", "").replace("\x00", "").split())[:80]
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.timeline(
            context, actor, patient_id, at, kinds=asked["kinds"], only_pinned=asked["pinned"], words=words,
            before=asked["before"] or _end_of(asked["until"], actor.person),
        )  # fmt: skip
        context.saw(
            "timeline", subjects=[found.patient.pk], object_type="patients.Patient",
            object_id=found.patient.pk, sections=sorted(asked["kinds"]) or ["all"],
        )  # fmt: skip
        rest = {"kind": asked["kinds"]} | ({"pinned": "1"} if asked["pinned"] else {})
        shown: dict[str, Any] = {
            "patient": found.patient,
            "months": by_month(found.entries, found.patient),
            "pinned": [] if asked["pinned"] else found.pinned,
            "found": len(found.entries),
            "after": found.after.text() if found.after else "",
            "older": urlencode(rest | {"before": found.after.text()}, doseq=True) if found.after else "",
            "searched_to": found.searched_to,
            "may_write": found.may_write,
            "sessions_withheld": found.sessions_withheld,
            "kinds": [(key, label, key in asked["kinds"]) for key, label in kinds().items()],
            "only_pinned": asked["pinned"],
            "until": asked["until"],
            "q": words,
            "purposes": PURPOSES,
            "form": form,
            "finding": finding,
            "conflict": conflict,
            "back": urlencode(rest, doseq=True),
        }
        part = "clinical/timeline/_entries.html"
        if not is_partial(request):
            part = "clinical/timeline/page.html"
            shown |= banner.shown(context, found.patient, at, tab="timeline")
        return render(request, part, shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def day_words(request: HttpRequest, patient_id: UUID, item_id: UUID) -> HttpResponse:
    """Open what was written in one check-in, for a purpose that is named; a row of its own says who did.

    Beside it stands what was read in it as a sign, as in the words of a session.
    """
    form = WordsForm(request.POST)
    if not form.is_valid():
        return _page(request, patient_id, status=422)
    actor, at, purpose = actor_of(request), clock(), form.cleaned_data["purpose"]
    with reading(actor, purpose=purpose, permission=CHART) as context:
        head = sessions.head(context, actor, patient_id, at)
        one = queries.check_in_words(context, head.ids, item_id)
        context.saw(
            "check_in_words", subjects=[one.patient_id], object_type="patients.DailyCheckIn",
            object_id=one.pk, sections=["words"],
        )  # fmt: skip
        shown = head.shown() | {
            "check_in": one, "at": at, "lines": lines_of(one.metrics),
            "read": read_words(read_in([one.pk]).get(one.pk, ()), head.reach(actor, at).unnamed),
            "purpose": dict(form.fields["purpose"].choices)[purpose],  # type: ignore[attr-defined]
        }  # fmt: skip
        return render(request, "clinical/timeline/day.html", shown)


def _end_of(day: Any, user: Any) -> Cursor | None:
    """Return the place after everything of a day, in the zone in which the reader sees times."""
    if day is None:
        return None
    zone = zone_of(user.organization.default_timezone if user.organization else "UTC")
    return Cursor.end_of_day(day, zone)


@requires(*DESK_ROLES)
@require_POST
def timeline_pin(request: HttpRequest, patient_id: UUID, source: str, item_id: UUID) -> HttpResponse:
    """Keep an entry in view."""
    actions.pin_entry(actor=actor_of(request), patient_id=patient_id, source=source, item_id=item_id)
    return go_to(request, _back(request, patient_id))


@requires(*DESK_ROLES)
@require_POST
def timeline_unpin(request: HttpRequest, patient_id: UUID, source: str, item_id: UUID) -> HttpResponse:
    """Take a pin off."""
    actions.unpin_entry(actor=actor_of(request), patient_id=patient_id, source=source, item_id=item_id)
    return go_to(request, _back(request, patient_id))


@requires(*DESK_ROLES)
@require_POST
def finding_review(request: HttpRequest, patient_id: UUID, source: str, item_id: UUID) -> HttpResponse:
    """Accept, reject or comment on a finding; words that were not taken come back with the page."""
    form = FindingForm(request.POST, auto_id=f"f-{item_id}-%s")
    if not form.is_valid():
        return _page(request, patient_id, form=form, finding=item_id, status=422)
    try:
        actions.review_finding(
            actor=actor_of(request), patient_id=patient_id, source=source, finding_id=item_id,
            **form.cleaned_data,
        )  # fmt: skip
    except (RuleBroken, *DOWN) as error:
        status, conflict = given_back(request, form, error)
        return _page(request, patient_id, form=form, finding=item_id, status=status, conflict=conflict)
    return go_to(request, _back(request, patient_id) + f"#e-{item_id}")


def _back(request: HttpRequest, patient_id: UUID) -> str:
    """Return the page that the command came from: the filters are codes, everything else is left out."""
    asked = FilterForm(request.GET).asked()
    rest = {"kind": asked["kinds"]} | ({"pinned": "1"} if asked["pinned"] else {})
    if asked["before"]:
        rest["before"] = asked["before"].text()
    page = reverse("clinical:timeline", args=[patient_id])
    return f"{page}?{urlencode(rest, doseq=True)}" if any(rest.values()) else page
