"""The false-alarm budget watched (domain 4.7): a week outside it asks a supervisor to look at the rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from cortex.access.context import reading
from cortex.accounts.models import Organization
from cortex.audit import Actor
from crisis.calibration.figures import budget
from crisis.calibration.queries import asked_since, calibration
from crisis.reviews.actions import make_item
from crisis.reviews.models import ALARM_BUDGET, ReviewItem

# A week outside is a breach; while it lasts it is asked about again a week after the last time.
WATCHED = timedelta(days=7)
# [P] product policy: a supervisor has so long to look at the rules.
DUE = timedelta(days=7)


def watch_budget(*, actor: Actor, organization: Organization, at: datetime) -> ReviewItem | None:
    """Make a task where the seven days before are outside a line of the budget; None where they are not.

    A line on which too little is known is not outside. Nothing is ever held back for it.
    """
    with reading(actor, purpose="review") as context:
        report = calibration(organization, at - WATCHED, at)
        context.saw("review.calibration", object_type="alerts", organization_id=organization.pk)
        is_asked = asked_since(organization.pk, at - WATCHED)
    if is_asked or all(line.holds is not False for line in budget(report)):
        return None
    return make_item(
        actor=actor, organization_id=organization.pk, patient=None, reason_code=ALARM_BUDGET,
        source_type="calibration", due_at=at + DUE, at=at,
    )  # fmt: skip
