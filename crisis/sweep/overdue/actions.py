"""Escalates a task that nobody did in time; whom it tells, and when again, is the task's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from crisis.duty import queries as duty
from crisis.escalation import actions as escalation
from crisis.escalation.queries import medium_clocks
from crisis.reviews import actions as reviews
from crisis.reviews.models import MEDIUM_TASKS, WELFARE, WELFARE_SENT, ReviewItem
from crisis.reviews.queries import kind_of

# These are told of each time that they are overdue, and the lead of the service from the second time.
TOLD_EACH_TIME = (WELFARE, WELFARE_SENT)
# Nobody waits a day on a question about somebody's life.
SOON = timedelta(hours=1)


@action
def escalate_task(*, actor: Actor, item_id: UUID, at: datetime | None = None) -> ReviewItem | None:
    """Mark an overdue task; the second time, as a rule a day later, the supervisors are told (domain 3.5).

    A first contact is told of at once, a welfare check each hour, from the second time to the lead, too.
    """
    at = clock(at)
    item = reviews.escalate_item(actor=actor, item_id=item_id, every=_pace(item_id), at=at)
    if item is None or not (item.reason_code in TOLD_EACH_TIME or item.is_told_now):
        return Unchanged(item)  # type: ignore[return-value]
    people = duty.people_for("supervisor", item.organization_id)
    if item.reason_code in TOLD_EACH_TIME and item.escalations > 1:
        known = {one.pk for one in people}
        leads = duty.people_for("lead", item.organization_id)
        people = [*people, *(one for one in leads if one.pk not in known)]
    told = escalation.tell_desk(actor=actor, people=people, about=item, at=at)
    record(actor, "review.supervisors_told", item, codes={"told": len(people), "attempts": len(told)})
    return item


def _pace(item_id: UUID) -> timedelta:
    """Return how long after an escalation the next one comes; a medium level has a clock for it."""
    reason, organization_id = kind_of(item_id)
    if reason in TOLD_EACH_TIME:
        return SOON
    if reason in MEDIUM_TASKS and organization_id is not None:
        return medium_clocks(organization_id).again
    return reviews.ESCALATE_EVERY
