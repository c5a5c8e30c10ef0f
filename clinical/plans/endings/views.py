"""Doors of endings: the question before a plan ends, and the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.plans import queries
from clinical.plans.approvals.queries import agreements
from clinical.plans.doors import WRITERS, Look, Page, edit, press
from clinical.plans.endings import actions
from clinical.plans.endings.forms import EndForm
from cortex.access.declare import requires
from cortex.audit import actor_of


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def plan_end(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """How and why the plan ends, and what follows."""

    def more(found: Look) -> dict[str, Any]:
        plan = found.the_plan()
        stands = queries.version_of(plan.pk, plan.signed_version) if plan.signed_version else None
        agreed = agreements(plan.pk, [stands] if stands else [])
        return {"stands": stands, "agreed": agreed.get(stands.version) if stands else None}

    def make(found: Look, data: Any) -> EndForm:
        return EndForm(data, hows=actions.ALLOWED[found.the_plan().status], auto_id="e_%s")

    page = Page(
        "End the plan", "End the plan", template="clinical/plans/end.html", section="plan.end", more=more
    )
    return edit(
        request, patient_id, page, make,
        lambda data: actions.end_plan(actor=actor_of(request), patient_id=patient_id, **data),
    )  # fmt: skip


@requires(*WRITERS)
@require_POST
def plan_reopen(request: HttpRequest, patient_id: UUID, plan_id: UUID) -> HttpResponse:
    """Take an ending back."""
    return press(request, patient_id, actions.reopen_plan, plan_id=plan_id)
