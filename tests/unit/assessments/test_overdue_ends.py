"""What ends the task about overdue measures, and what a correction ends: as taking the measure does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.assessments.actions import correct_assessment, finish_assessment
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment
from clinical.assessments.planning import actions, queries
from clinical.assessments.planning.tasks import chase_overdue_measures
from clinical.assessments.schedule import TASK_AFTER
from crisis.reviews.actions import make_item
from crisis.reviews.models import ReviewItem
from tests import makers
from tests.cast import Cast
from tests.makers import machine, staff
from tests.unit.assessments.test_results import install_screener
from tests.unit.caseload.test_linked import linked

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
Answers = dict[str, int | None]
GAD7: Answers = {f"q{number}": 1 for number in range(1, 8)}
PHQ9: Answers = {**{f"q{number}": 1 for number in range(1, 9)}, "q9": 0}
SCREENED: Answers = {"q1": 0, "q2": 0, "q6_lifetime": 0}
OVERDUE = actions.OVERDUE


def take(cast: Cast, key: str, answers: Answers, days: float = 0, **more: object) -> Assessment:
    values = {"patient_id": cast.patient.pk, "administered_at": makers.now() - days * DAY} | more
    one, _ = finish_assessment(actor=staff(cast.alice), key=key, answers=answers, **values)  # type: ignore[arg-type]
    makers.scope_all()
    return one


def correct(cast: Cast, wrong: Assessment, answers: Answers) -> Assessment:
    one, _ = correct_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, assessment_id=wrong.pk, answers=answers
    )
    makers.scope_all()
    return one


def ask(cast: Cast, reason: str = OVERDUE) -> None:
    make_item(
        actor=machine(cast.home), organization_id=cast.home.pk, patient=cast.patient, reason_code=reason
    )
    makers.scope_all()


def opened(cast: Cast) -> set[str]:
    rows = ReviewItem.objects.open().filter(patient__person_id=cast.patient.person_id)
    return set(rows.values_list("reason_code", flat=True))


def chased(cast: Cast) -> ReviewItem:
    """The task that the daily look makes of two measures that nobody ever took."""
    assert chase_overdue_measures()
    makers.scope_all()
    return ReviewItem.objects.get(patient=cast.patient, reason_code=OVERDUE)


def plan(cast: Cast, key: str, **changes: object) -> None:
    who = cast.patient.pk
    actions.set_plan(actor=staff(cast.alice), patient_id=who, key=key, reason="burden", **changes)  # type: ignore[arg-type]
    makers.scope_all()


def test_the_task_ends_with_the_last_measure_that_was_late_and_the_next_one_is_a_new_task(cast: Cast) -> None:
    item = chased(cast)
    take(cast, "gad7", GAD7)
    assert opened(cast) == {OVERDUE}, "the PHQ-9 is late still"
    take(cast, "phq9", PHQ9)
    assert opened(cast) == set()
    item.refresh_from_db()
    assert (item.done_by, item.outcome, item.next_escalation_at) == (cast.alice, "measure_offered", None)
    at = makers.now() + 22 * DAY
    offered = offers.instruments(cast.home.pk)
    people = queries.chunk_in_care(cast.home.pk, None, at, 10)
    due = queries.due_measures(people, offered, at - TASK_AFTER)[cast.patient.pk]
    actions.chase_measures(actor=machine(cast.home), patient=people[0].patient, overdue=due, at=at)
    makers.scope_all()
    assert opened(cast) == {OVERDUE}
    assert ReviewItem.objects.filter(patient=cast.patient, reason_code=OVERDUE).count() == 2


def test_answers_without_a_total_and_an_older_form_end_nothing_while_the_measure_is_late(cast: Cast) -> None:
    take(cast, "gad7", GAD7)
    chased(cast)
    broken_off = take(cast, "phq9", PHQ9 | {"q1": None, "q2": None, "q3": None})
    assert not broken_off.is_valid
    take(cast, "phq9", PHQ9, days=22, mode="paper")
    assert opened(cast) == {OVERDUE}
    take(cast, "phq9", PHQ9, days=20, mode="paper")
    assert opened(cast) == set(), "it has been due for six days now"


def test_a_correction_ends_the_task_where_the_measure_has_a_total_now(cast: Cast) -> None:
    take(cast, "gad7", GAD7)
    chased(cast)
    wrong = take(cast, "phq9", PHQ9 | {"q1": None, "q2": None, "q3": None})
    correct(cast, wrong, PHQ9)
    assert opened(cast) == set()


def test_another_schedule_ends_the_task_where_nothing_is_late_by_it(cast: Cast) -> None:
    take(cast, "gad7", GAD7, days=24)
    take(cast, "phq9", PHQ9, days=24)
    item = chased(cast)
    plan(cast, "phq9", is_paused=True)
    assert opened(cast) == {OVERDUE}
    plan(cast, "gad7", interval_days=30)
    assert opened(cast) == set()
    item.refresh_from_db()
    assert (item.done_by, item.outcome) == (cast.alice, "no_action_needed")


def test_going_back_to_the_usual_schedule_ends_it_too(cast: Cast) -> None:
    for key, answers in (("gad7", GAD7), ("phq9", PHQ9)):
        take(cast, key, answers, days=10)
    plan(cast, "phq9", interval_days=2)
    chased(cast)
    actions.clear_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9")
    makers.scope_all()
    assert opened(cast) == set()


def test_a_task_of_either_row_ends_whichever_row_was_asked(cast: Cast) -> None:
    other = linked(cast)
    ask(other)
    chased(cast)
    tasks = ReviewItem.objects.open().filter(patient__in=(cast.patient, other.patient))
    take(cast, "gad7", GAD7)
    assert tasks.count() == 2
    take(cast, "phq9", PHQ9, patient_id=other.patient.pk)
    assert not tasks.exists()


def test_a_screener_that_is_late_keeps_the_task_until_it_was_asked(cast: Cast) -> None:
    install_screener(cast)
    item = chased(cast)
    for key, answers in (("gad7", GAD7), ("phq9", PHQ9)):
        take(cast, key, answers)
    assert opened(cast) == {OVERDUE}, "nobody asked the screener"
    take(cast, "cssrs", SCREENED)
    assert OVERDUE not in opened(cast)
    item.refresh_from_db()
    assert item.done_at is not None


def test_a_correction_ends_the_tasks_that_asked_for_the_measure(cast: Cast) -> None:
    ask(cast, "phq9_due")
    ask(cast, "cssrs_due")
    wrong = take(cast, "phq9", PHQ9 | {"q1": None, "q2": None, "q3": None})
    assert {"phq9_due", "cssrs_due"} <= opened(cast)
    correct(cast, wrong, PHQ9)
    assert opened(cast) == {"cssrs_due"}
    assert ReviewItem.objects.get(reason_code="phq9_due").outcome == "measure_offered"


def test_a_screener_that_was_declined_by_mistake_is_no_task_once_it_is_put_right(cast: Cast) -> None:
    install_screener(cast)
    first = take(cast, "cssrs", {"q1": 0})
    still = correct(cast, first, {"q1": 0, "q2": 0})
    assert opened(cast) == {"cssrs_declined"}
    correct(cast, still, SCREENED)
    assert opened(cast) == set()


def test_it_stays_a_task_where_a_later_screener_was_declined_too(cast: Cast) -> None:
    install_screener(cast)
    first = take(cast, "cssrs", {"q1": 0}, days=0.1)
    take(cast, "cssrs", {"q1": 0})
    correct(cast, first, SCREENED)
    assert opened(cast) == {"cssrs_declined"}


def test_a_correction_of_an_older_form_ends_nothing_that_was_asked_since(cast: Cast) -> None:
    wrong = take(cast, "phq9", PHQ9, days=3)
    ask(cast, "phq9_due")
    correct(cast, wrong, PHQ9 | {"q1": 2})
    assert opened(cast) == {"phq9_due"}
