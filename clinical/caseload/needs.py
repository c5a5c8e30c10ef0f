"""What was read of one person of a caseload, as the need that decides their place; no query."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from clinical.assessments.schedule import TASK_AFTER
from clinical.caseload.ranking import LEVELS, Need, is_reviewed, place
from cortex.ui.zone import zone_of
from crisis.alerts.wording import reason_sentence, review_words
from patients.registry.queries import local_day

if TYPE_CHECKING:
    from clinical.caseload.queries import Case

# The title of a review of the plan whose day has come.
PLAN_REVIEW = "Review of the plan"


def judge(case: Case, at: datetime) -> None:
    """Say where somebody stands, of what was read of them."""
    # What is owed to whose care begins comes before a measure that is late since the same moment.
    owed = case.begun.owed(case.first_measures) if case.begun else []
    overdue = [(words, due) for words, _, due in owed if due <= at]
    overdue += [(title, due + TASK_AFTER) for title, due in case.due if at >= due + TASK_AFTER]
    review = case.review_at if case.review_at is not None and case.review_at <= at else None
    if review is not None:
        overdue.append((PLAN_REVIEW, review))
    waiting = [(words, since) for words, since, due in owed if due > at]
    for item in case.items:
        title = review_words(item.reason_code)[0]
        # One that waits has waited since it was made: the oldest comes first.
        if item.due_at <= at:
            overdue.append((title, item.due_at))
        else:
            waiting.append((title, item.created_at))
    called = tuple((one.words, one.due_at) for one in case.promises)
    # The first low level of somebody never assessed is no rise.
    before = max(LEVELS[case.level_before], LEVELS["low"])
    rose = case.level_since if LEVELS[case.level] > before else None
    points = [one.latest.at for one in case.courses.values() if one.latest]
    ended = case.ended_last
    ended_at = ended.resolved_at if ended else None
    created = (item.created_at for item in case.items)
    # What is owed is new when it begins, and once more when its day is over.
    promised = (due if due <= at else since for _, since, due in owed)
    # So are a task, a measure and the review once their time has passed, however long they were there.
    passed = (due for _, due in (*overdue, *called) if due <= at)
    # A contact is new on the day on which it is to be made.
    days = (_day_start(case, one.due_at) for one in case.promises)
    newest = [moment for moment in (rose, ended_at, *points, *created, *promised, *passed, *days) if moment]
    need = Need(
        level=case.level,
        alert_level=case.worst.level if case.worst else "",
        alert_reason=reason_sentence(case.worst.reason_code) if case.worst else "",
        level_since=case.level_since,
        level_rose_at=rose,
        ended_at=ended_at,
        ended_by=(ended.ended_by or "") if ended else "",
        off_track=case.off_track,
        overdue=tuple(overdue),
        called=called,
        waiting=tuple(waiting),
        last_heard=case.last_heard,
        looked_at=case.looked_at,
        reviewed_at=case.reviewed_at,
        newest_at=max(newest, default=None),
        since=case.since,
    )
    case.place, case.reviewed = place(need, at), is_reviewed(need, at)


def _day_start(case: Case, moment: datetime) -> datetime:
    """Return when the day of a moment begins where the person lives."""
    return datetime.combine(local_day(case.who, moment), time(), tzinfo=zone_of(case.who.zone()))
