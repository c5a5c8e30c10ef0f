"""How far a plan has come, its pace, and when it is reviewed: tables against the domain page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinical.plans import progress, schedule
from clinical.plans.models import Goal, TreatmentPlan
from clinical.plans.progress import Aim
from clinical.plans.queries import GoalView, standing_of

START, END = date(2026, 1, 1), date(2026, 3, 2)
HALF = date(2026, 1, 31)
DUE = {"start": START, "due": END, "status": "active"}
X29 = (
    Aim("numeric", 3, baseline=18, target=9, current=13, **DUE),  # type: ignore[arg-type]
    Aim("frequency", 2, target=5, count=2, **DUE),  # type: ignore[arg-type]
    Aim("milestone", 1, steps=((1, True), (1, False), (1, False), (1, False)), **DUE),  # type: ignore[arg-type]
)


def of_plan(*aims: Aim) -> progress.Standing:
    """Where the product says at half time that a plan of these goals stands."""
    goals = [
        GoalView(Goal(weight=one.weight, status=one.status), [], None, None, progress.of_goal(one, HALF))
        for one in aims
    ]
    return standing_of(TreatmentPlan(start=START, target_end=END), goals, HALF)


def test_x29_three_goals_make_a_plan_that_is_on_track_at_half_time() -> None:
    assert [round(progress.share(one) or 0, 4) for one in X29] == [0.5556, 0.4, 0.25]
    plan = of_plan(*X29)
    assert (round(plan.share or 0, 4), plan.elapsed, plan.pace) == (0.4528, 0.5, "on_track")


@pytest.mark.parametrize(
    ("done", "passed", "pace"),
    [(0.4528, 0.5, "on_track"), (0.25, 0.5, "at_risk"), (0.1, 0.5, "off_track"), (1, 0.9, "achieved"),
     (0.35, 0.5, "on_track"), (0.15, 0.5, "at_risk"), (0.149, 0.5, "off_track"), (0, 0, "on_track")],
)  # fmt: skip
def test_the_pace_follows_from_the_drift_and_its_borders_belong_to_the_better_side(
    done: float, passed: float, pace: str
) -> None:
    assert progress.pace(done, passed) == pace


@pytest.mark.parametrize(
    ("baseline", "target", "current", "share"),
    [(18, 9, 13, 5 / 9), (18, 9, 20, 0), (18, 9, 4, 1), (2, 6, 4, 0.5), (2, 6, 1, 0), (-2, 2, 0, 0.5)],
)  # fmt: skip
def test_a_number_goes_either_way_and_stays_between_nothing_and_everything(
    baseline: float, target: float, current: float, share: float
) -> None:
    assert progress.numeric(baseline, target, current) == pytest.approx(share)


def test_a_target_that_is_the_baseline_is_no_way_at_all() -> None:
    with pytest.raises(ValueError, match="must differ"):
        progress.numeric(4, 4, 4)


def test_milestones_count_by_weight_and_times_no_further_than_the_target() -> None:
    assert progress.milestones([(3, True), (1, False)]) == 0.75
    assert progress.milestones([]) == 0
    assert progress.frequency(9, 5) == 1


def test_achieved_goals_count_whole_and_proposed_or_cancelled_ones_not_at_all() -> None:
    achieved = Aim("numeric", 2, "achieved", START, END, baseline=10, target=5, current=9)
    away = Aim("numeric", 5, "cancelled", START, END, baseline=10, target=5, current=10)
    unread = Aim("numeric", 2, "active", START, END, baseline=10, target=5)
    assert of_plan(achieved, away, unread).share == 0.5
    assert progress.of_goal(unread, HALF).pace == "unknown"
    assert of_plan(away).share is None


AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("level", "own", "days"),
    [("low", None, 90), ("", None, 90), ("medium", None, 30), ("high", None, 14), ("critical", None, 7),
     ("low", 45, 45), ("critical", 45, 7)],
)  # fmt: skip
def test_reviews_come_by_level_and_a_plan_s_own_span_only_shortens(
    level: str, own: int | None, days: int
) -> None:
    assert schedule.next_review(AT, level, own) == AT + timedelta(days=days)


def test_the_first_review_is_after_30_days_and_a_crisis_brings_it_within_72_hours() -> None:
    assert schedule.first_review(AT) == AT + timedelta(days=30)
    assert schedule.first_review(AT, 10) == AT + timedelta(days=10)
    planned, crisis = AT + timedelta(days=90), AT + timedelta(days=2)
    assert schedule.due_at(planned, [crisis], None) == crisis + timedelta(hours=72)
    assert schedule.due_at(planned, [crisis], crisis + timedelta(hours=1)) == planned


def test_a_week_after_it_was_due_a_review_is_the_supervisor_s() -> None:
    assert not schedule.is_supervisors(AT, AT + timedelta(days=6, hours=23))
    assert schedule.is_supervisors(AT, AT + timedelta(days=7))
