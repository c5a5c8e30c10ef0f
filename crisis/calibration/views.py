"""The door of the calibration report: a supervisor's own organization, over a period that they choose."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import NotFound, actor_of
from cortex.clock import clock
from crisis.calibration.queries import calibration
from crisis.calibration.tables import rule_words, tables
from crisis.risk.engine import ENGINE_VERSION
from crisis.risk.lexicons import lexicon_of
from crisis.risk.queries import switches as engine_switches
from crisis.risk.switches import NOTHING

SPANS = (7, 30, 90, 365)
USUAL = 90
STATES = {"off": "is off", "shadow": "runs in shadow"}


@requires(Role.SUPERVISOR)
@require_GET
def calibration_page(request: HttpRequest) -> HttpResponse:
    """How right the engine was, by rule, tier, version and level; figures only, nobody is named."""
    actor = actor_of(request)
    organization = actor.person.organization
    if organization is None:
        raise NotFound("You belong to no organization.", "no_organization")
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(one) for one in SPANS} else USUAL
    with reading(actor, purpose="review", relationship="duty") as context:
        until = clock()
        report = calibration(organization, until - timedelta(days=days), until)
        switches = engine_switches([organization.pk]).get(organization.pk, NOTHING)
        context.saw("review.calibration", object_type="alerts", organization_id=organization.pk)
    shown = {
        "report": report,
        "days": days,
        "organization": organization.name,
        "tables": [] if report.is_empty else tables(report),
        "tabs": [{"label": f"{one} days", "href": f"?days={one}", "current": one == days} for one in SPANS],
        "engine": ENGINE_VERSION,
        "lexicon": lexicon_of(switches.live_lexicon).version,
        "resting": [(rule_words(rule), STATES[state]) for rule, state in switches.resting],
        "shadow_lexicons": switches.shadow_lexicons,
    }
    return render(request, "crisis/calibration/page.html", shown)
