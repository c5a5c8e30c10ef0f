"""Doors of a chart: its overview."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinical.caseload.actions import note_look
from clinical.chart import queries
from clinical.chart.showing import shown
from clinical.pathway.queries import answers
from clinical.sessions.labels import reach_by
from clinical.sessions.queries import open_run
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import actor_of
from cortex.clock import clock
from patients.registry.access import CHART

USUAL_DAYS = 90


@requires(*DESK_ROLES)
@require_GET
def chart(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """The overview of one person; a stranger learns nothing, and every opening is one row of the log."""
    actor, at = actor_of(request), clock()
    asked = {str(days): days for days in queries.RANGES}
    days = asked.get(request.GET.get("days", ""), USUAL_DAYS)
    note_look(actor=actor, patient_id=patient_id, at=at)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.chart(context, actor, patient_id, at, days)
        context.saw(
            "chart", subjects=[found.patient.pk], object_type="patients.Patient", object_id=found.patient.pk,
            sections=[
                "overview", "changes", "allergies", "measures", "check_ins", "sessions", "team", "signals",
                "preferences",
            ],
        )  # fmt: skip
        more = {
            "answers": answers(found.patient, found.team, at),
            "running": open_run(found.patient.person_id, reach_by(actor.person.pk, found.look.standing)),
        }
        return render(request, "clinical/chart/page.html", shown(found, at) | more)
