"""Doors of reviews: hold one, and the queue of those that are due."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from clinical.assessments.instruments.queries import instruments
from clinical.assessments.planning.queries import asked_for
from clinical.assessments.planning.showing import asked_rows
from clinical.plans import queries
from clinical.plans.approvals.queries import waiting_for
from clinical.plans.doors import READERS, WRITERS, Look, Page, edit, once
from clinical.plans.models import TreatmentPlan
from clinical.plans.outcomes.queries import outcomes
from clinical.plans.outcomes.showing import outcome_card
from clinical.plans.reviews import actions
from clinical.plans.reviews.forms import ReviewForm
from clinical.plans.reviews.models import PlanReview
from clinical.plans.reviews.queries import overdue_for_supervisor
from clinical.plans.reviews.queries import review_queue as own_queue
from clinical.plans.showing import own_queue_row, plan_page, queue_row, waiting_row
from cortex.access.context import AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import actor_of
from cortex.clock import clock
from crisis.risk.queries import latest_levels
from patients.privacy.queries import consent_state
from patients.registry.access import CHART
from patients.registry.queries import NAMES


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def review_hold(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Review the plan: where it stands, what the person says, what was decided."""

    def more(found: Look) -> dict[str, Any]:
        number = once(request, patient_id)
        if found.plan is None and queries.written_once(PlanReview, number, found.patient)[0]:
            # Pressed twice: the first press has ended the plan, and the second answers with its review.
            return {}
        view = queries.plan_view(found.context, found.patient, found.the_plan(), found.at)
        person = found.patient.person_id
        agreed = consent_state([person], ["treatment"], found.at)[person, "treatment"]
        totals = queries.totals_of(found.patient)
        offered = instruments(found.patient.organization_id)
        named = [(row.title, totals[row.key]) for row in offered if row.key in totals]
        asked = asked_rows(asked_for(found.patient, "review", found.at), found.patient.pk)
        return plan_page(found, view) | {
            "totals": named, "consent": agreed, "asked": asked,
            "outcomes": outcome_card(outcomes(person, found.at)),
        }  # fmt: skip

    page = Page(
        "Review the plan", "Save the review", template="clinical/plans/review.html", section="plan.review",
        more=more,
    )  # fmt: skip
    return edit(
        request, patient_id, page, lambda _, data: ReviewForm(data, auto_id="v_%s"),
        lambda data: actions.hold_review(
            actor=actor_of(request), patient_id=patient_id, once=once(request, patient_id), **data
        ),
    )  # fmt: skip


@requires(*READERS)
@require_GET
def review_queue(request: HttpRequest) -> HttpResponse:
    """Whose plan is to be reviewed: one's own people; for a supervisor, what waits or is late."""
    actor, at = actor_of(request), clock()
    leads = actor.role == Role.SUPERVISOR
    with reading(actor, purpose="review", relationship="duty", permission=CHART) as context:
        read = overdue_for_supervisor if leads else own_queue
        rows, waiting = read(actor.person, at), waiting_for(actor.person, at)
        named = [*(one.patient_id for one in waiting), *(plan.patient_id for plan, _ in rows)]
        context.saw("plan.reviews", object_type="plans", subjects=list(dict.fromkeys(named)))
        shown = {
            "rows": [queue_row(plan, due, at) for plan, due in rows] if leads else _own(context, rows, at),
            "waiting": [waiting_row(one, at) for one in waiting],
            "leads": leads,
        }
        return render(request, "clinical/plans/queue.html", shown)


def _own(context: AccessContext, rows: list[tuple[TreatmentPlan, datetime]], at: datetime) -> list[Any]:
    """Return the plans of one's own people, with their names and the levels on record."""
    people = {plan.patient_id: plan.patient for plan, _ in rows}
    context.open(people.values(), NAMES)
    levels = latest_levels([one.person_id for one in people.values()])
    return [own_queue_row(plan, due, at, levels) for plan, due in rows]
