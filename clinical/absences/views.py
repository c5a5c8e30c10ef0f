"""Doors of absences and of a leaver's caseload."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.pathway import queries
from clinical.pathway.actions import move_caseload
from clinical.pathway.forms import AbsenceForm, MoveForm
from clinical.pathway.showing import hour_row, moving_rows
from clinical.scheduling.handover.queries import falling_into
from clinical.scheduling.queries import open_names
from cortex.access.context import KEYS_DOWN, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import Actor, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.covers import actions
from patients.covers.queries import away_now, overlapping
from patients.registry.access import CHART

PLANNERS = (Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR, Role.ADMIN)
MOVERS = (Role.SUPERVISOR, Role.ADMIN)


@requires(*PLANNERS)
@require_http_methods(["GET", "POST"])
def absence_new(request: HttpRequest) -> HttpResponse:
    """Plan one's own absence, as supervisor or administrator anybody's."""
    actor = actor_of(request)
    me, plans_for_all = actor.person, actor.role in MOVERS
    form = AbsenceForm(
        request.POST if request.method == "POST" else None, me=me, plans_for_all=plans_for_all,
        people=queries.treating(me, besides=None if plans_for_all else me.pk), auto_id="away_%s",
    )  # fmt: skip
    status, conflict, falls = 422 if form.errors else 200, None, None
    if form.is_bound and form.is_valid():
        wanted = form.absence()
        with scoped(actor):
            away = overlapping(wanted["cover_id"], max(wanted["starts_at"], clock()), wanted["ends_at"])
        if away:
            # Said before anybody reads through the appointments that fall into it.
            form.add_error("cover", actions.COVER_AWAY)
            return _page(request, form, status=422)
        falls = _falling_into(actor, wanted)
        if falls["rows"] and request.POST.get("seen") != falls["mark"]:
            return _page(request, form, falls=falls)
        try:
            actions.plan_absence(actor=actor, **wanted)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:ways"))
    return _page(request, form, falls=falls, conflict=conflict, status=status)


def _page(
    request: HttpRequest, form: AbsenceForm, *, falls: dict[str, Any] | None = None,
    conflict: dict[str, object] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    shown = {"form": form, "conflict": conflict, "falls": falls}
    return render(request, "clinical/absences/new.html", shown, status=status)


def _falling_into(actor: Actor, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the appointments that fall into an absence, and a mark of what was shown of them.

    They are named to whoever treats the people, by pseudonym to everybody else; who is away may open each.
    """
    at, who = clock(), wanted["user_id"]
    own = who == actor.id
    with reading(actor, purpose="treatment" if own else "admin", permission=CHART) as context:
        found = falling_into(who, max(wanted["starts_at"], at), wanted["ends_at"])
        names = open_names(context, [one.patient for one in found.rows]) if found.rows else {}
    spell = f"{wanted['starts_at']:%Y-%m-%d} {wanted['ends_at']:%Y-%m-%d}"
    return {
        "rows": [hour_row(one, names[one.patient_id], opens=own) for one in found.rows],
        "total": found.total, "more": found.more, "mark": f"{who} {spell} {found.mark}",
    }  # fmt: skip


@requires(*PLANNERS)
@require_POST
def absence_end(request: HttpRequest, absence_id: UUID) -> HttpResponse:
    """Come back early, or call it off."""
    actions.end_absence(actor=actor_of(request), absence_id=absence_id)
    return go_to(request, reverse("clinical:ways"))


@requires(*PLANNERS)
@require_POST
def absence_extend(request: HttpRequest, absence_id: UUID) -> HttpResponse:
    """Cover those who joined since, too."""
    actions.cover_newcomers(actor=actor_of(request), absence_id=absence_id)
    return go_to(request, reverse("clinical:ways"))


@requires(*MOVERS)
@require_GET
def leavers(request: HttpRequest) -> HttpResponse:
    """Who treats how many: whose caseload is to be moved."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="admin", relationship="back_office"):
        people = queries.with_caseload(actor.person, at)
        return render(request, "clinical/absences/leavers.html", {"people": people})


@requires(*MOVERS)
@require_http_methods(["GET", "POST"])
def leaver(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Preview everybody whom a leaver treats, and move all of them at once."""
    actor, at = actor_of(request), clock()
    conflict: dict[str, object] | None = None
    with reading(actor, purpose="admin", relationship="back_office") as context:
        who = queries.leaver(actor.person, user_id)
        rows = queries.moving(who.pk, at)
        people = queries.treating(actor.person, besides=who.pk)
        away = away_now([one.pk for one in people], at)
        context.saw("caseload.preview", subjects=[one.patient.pk for one in rows], object_type="caseload")
    typed = request.POST if request.method == "POST" else None
    to = request.GET.get("to", "")
    initial = {f"to_{one.patient.pk}": to for one in rows}
    form = MoveForm(typed, rows=rows, people=people, away=away, initial=initial, auto_id="move_%s")
    status = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            known = form.cleaned_data.get("notes_known", False)
            move_caseload(actor=actor, user_id=user_id, plan=form.plan(), notes_known=known)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:leavers"))
    shown = {"who": who, "rows": moving_rows(rows, form), "form": form, "to": to,
             "conflict": conflict, "shows_level": actor.role == Role.SUPERVISOR}  # fmt: skip
    return render(request, "clinical/absences/leaver.html", shown, status=status)
