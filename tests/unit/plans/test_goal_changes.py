"""A goal that is changed keeps what was reached of it, and counts nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.plans import queries
from clinical.plans.goals.actions import record_progress, save_goal, tick_milestone
from clinical.plans.goals.smart import same_steps
from clinical.plans.models import Goal
from tests import makers
from tests.unit.plans.conftest import SMART, Planned

pytestmark = pytest.mark.django_db


def seen(planned: Planned, goal: Goal) -> queries.GoalView:
    return queries.view_goals(planned.cast.patient, [Goal.objects.get(pk=goal.pk)], makers.now())[0]


def test_a_goal_that_becomes_a_habit_counts_no_readings_of_before(planned: Planned) -> None:
    today = makers.now().date()
    own = {"actor": planned.alice, "patient_id": planned.who, "goal_id": planned.mood.pk}
    record_progress(**own, value=12, observed_on=today)
    habit = {"specific": "Sleep through.", "measure_type": "frequency", "metric": "Nights", "target": 5.0,
             "window_days": 7, "due_date": today + timedelta(days=45)}  # fmt: skip
    save_goal(**own, fields=SMART | habit)
    assert (seen(planned, planned.mood).current, seen(planned, planned.mood).standing.share) == (0, 0)
    record_progress(**own, value=2, observed_on=today)
    assert seen(planned, planned.mood).standing.share == 0.4


def test_a_milestone_whose_words_are_corrected_stays_reached(planned: Planned) -> None:
    first = queries.entries_of([planned.work])[planned.work.pk][0]
    tick_milestone(actor=planned.alice, patient_id=planned.who, entry_id=first.pk, reached=True)
    fields = {"specific": "Back to work.", "measure_type": "milestone", "weight": 1,
              "due_date": makers.now().date() + timedelta(days=45)}  # fmt: skip
    steps = [("Call them", 1), ("Visit", 1), ("One day", 1), ("All days", 1)]
    save_goal(
        actor=planned.alice, patient_id=planned.who, goal_id=planned.work.pk, fields=SMART | fields,
        steps=steps,
    )  # fmt: skip
    view = seen(planned, planned.work)
    makers.scope_all()
    kept = view.milestones[0]
    assert makers.opened(kept, "title") == "Call them"
    assert (kept.pk, kept.observed_on is not None) == (first.pk, True)
    assert (len(view.milestones), view.standing.share) == (4, 0.25)


@pytest.mark.parametrize(("before", "after", "same"), [
    (["Call", "Visit"], ["Visit", "Call"], {"Visit": "Visit", "Call": "Call"}),
    (["Speak with the employr"], ["Speak with the employer"],
     {"Speak with the employer": "Speak with the employr"}),
    (["One morning"], ["One morning at work", "Two"], {"One morning at work": "One morning"}),
    (["See the headteacher"], ["Visit the clinic"], {}),
    (["Call"], [], {}), (["Work in week 1"], ["Work in week 2"], {}),
])  # fmt: skip
def test_what_is_like_no_milestone_of_before_is_another(
    before: list[str], after: list[str], same: dict[str, str]
) -> None:
    assert same_steps(before, after) == same
