"""When a safety plan is asked for again: by the clock, after a critical alert, at the end of care."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.pathway.actions import discharge
from cortex.audit import InputRefused
from crisis.alerts.models import Disposition, RiskAlert, Verdict
from crisis.decisions.actions import state_level
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import PLAN_REVIEW, ReviewItem, SecondReview
from crisis.safetyplans.actions import review_plan
from crisis.safetyplans.models import SafetyPlan
from crisis.safetyplans.queries import due_for_review
from crisis.safetyplans.tasks import ask_for_plan_reviews
from patients.pathway.actions import EndingData
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.crisis.test_linking import desk, link  # noqa: F401 - a fixture
from tests.unit.crisis.test_raised_by_hand import told
from tests.unit.safetyplans.plans import finish

pytestmark = pytest.mark.django_db
ENDING = Ending(
    disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="With her brother.",
    no_follow_up_reason="She calls us.",
)  # fmt: skip


def items(cast: Cast) -> list[ReviewItem]:
    makers.scope_all()
    return list(ReviewItem.objects.filter(patient=cast.patient, reason_code=PLAN_REVIEW).order_by("pk"))


def set_level(cast: Cast, level: str) -> None:
    state_level(actor=makers.machine(cast.home), patient_id=cast.patient.pk, level=level)
    makers.scope_all()


@pytest.mark.parametrize(("level", "days", "asked"), [
    ("medium", 30, 1), ("high", 30, 1), ("low", 30, 0), ("medium", 27, 1), ("medium", 26, 0), ("low", 200, 0),
])  # fmt: skip
def test_a_plan_is_asked_for_after_30_days_while_the_level_is_medium_or_more(
    cast: Cast, level: str, days: int, asked: int
) -> None:
    plan = finish(cast, at=makers.now() - timedelta(days=days, minutes=1))
    if level != "low":
        set_level(cast, level)
    assert ask_for_plan_reviews() == asked
    found = items(cast)
    assert len(found) == asked
    if found:
        assert (found[0].owner, found[0].source_id) == (cast.alice, plan.pk)
        assert found[0].due_at >= makers.now() + timedelta(hours=23)
    assert ask_for_plan_reviews() == 0, "one open task is enough"


BEFORE, DAY = datetime(2026, 11, 2, 9, tzinfo=UTC), date(2026, 11, 4)


@pytest.mark.parametrize(("hour", "zone", "asked"), [
    (20, "Africa/Nairobi", 0), (22, "Africa/Nairobi", 1), (22, "Europe/London", 0), (11, "Pacific/Apia", 1),
])  # fmt: skip
def test_the_day_of_step_6_asks_for_the_plan_where_the_person_lives(
    cast: Cast, hour: int, zone: str, asked: int
) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(timezone=zone)
    plan = finish(cast, at=BEFORE, means_review_on=DAY)
    at = datetime(2026, 11, 3, hour, tzinfo=UTC)
    assert [one.pk for one, _ in due_for_review(at)] == [plan.pk] * asked


def test_means_that_were_looked_at_on_their_day_are_not_asked_for_again(cast: Cast) -> None:
    plan = finish(cast, at=BEFORE, means_review_on=DAY)
    morning, evening = (datetime(2026, 11, 4, hour, tzinfo=UTC) for hour in (9, 20))
    assert len(due_for_review(evening)) == 1
    review_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk, at=morning)
    makers.scope_all()
    assert due_for_review(evening) == []


def test_going_through_the_plan_ends_the_task_that_its_day_made(cast: Cast) -> None:
    plan = finish(cast, at=BEFORE, means_review_on=DAY)
    assert ask_for_plan_reviews() == 1
    assert ask_for_plan_reviews() == 0, "one open task is enough"
    review_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk)
    assert [one.outcome for one in items(cast)] == ["reviewed"]
    assert ask_for_plan_reviews() == 0


def claimed(cast: Cast, level: str = "critical") -> Any:
    alert = makers.make_alert(cast.patient, level=level)
    cast.on_duty()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    return alert


def test_a_critical_alert_asks_for_the_plan_and_its_end_does_again(cast: Cast) -> None:
    alert = claimed(cast)
    (first,) = items(cast)
    assert (first.owner, first.source_id) == (cast.alice, alert.pk)
    assert first.due_at - alert.raised_at == timedelta(hours=72)
    finish(cast)
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ENDING)
    second = items(cast)[-1]
    assert second.pk != first.pk and second.done_at is None
    assert second.due_at - second.created_at < timedelta(hours=25)


def test_a_high_alert_asks_for_none_until_it_rises(cast: Cast) -> None:
    claimed(cast, "high")
    assert items(cast) == []
    makers.make_alert(cast.patient, level="critical")
    assert len(items(cast)) == 1


def test_a_false_alarm_ends_the_task_that_came_of_it_and_none_that_the_calendar_asked_for(cast: Cast) -> None:
    song = Ending(verdict=Verdict.NOT_RISK_LANGUAGE, notes="It was a song.")
    finish(cast, at=makers.now() - timedelta(days=31))
    set_level(cast, "medium")
    assert ask_for_plan_reviews() == 1
    mark_false_alarm(actor=staff(cast.cleo), alert_id=claimed(cast, "high").pk, ending=song)
    assert [one.done_at for one in items(cast)] == [None]
    finish(cast, created_with_patient=False)
    critical = makers.make_alert(cast.patient, level="critical")
    claim_alert(actor=staff(cast.cleo), alert_id=critical.pk)
    cast.on_duty(cast.sam)
    mark_false_alarm(actor=staff(cast.cleo), alert_id=critical.pk, ending=song)
    (review,) = SecondReview.objects.filter(alert=critical)
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="A song.")
    assert [one.outcome for one in items(cast)] == ["reviewed", "no_action_needed"]


def test_a_death_asks_for_no_plan(cast: Cast) -> None:
    alert = claimed(cast, "high")
    makers.make_alert(cast.patient, level="critical")
    death = Ending(disposition=Disposition.DECEASED, verdict=Verdict.TRUE_CRISIS, notes="She has died.")
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=death)
    assert [one.outcome for one in items(cast)] == ["no_action_needed"]


def test_nobody_is_asked_to_go_through_the_plan_of_somebody_who_has_died(cast: Cast) -> None:
    finish(cast, at=makers.now() - timedelta(days=31))
    set_level(cast, "critical")
    alert = RiskAlert.objects.get(patient=cast.patient)
    cast.on_duty()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    death = Ending(disposition=Disposition.DECEASED, verdict=Verdict.TRUE_CRISIS, notes="She has died.")
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=death)
    makers.scope_all()
    assert ask_for_plan_reviews() == 0
    assert [one.outcome for one in items(cast)] == ["no_action_needed"]


def test_a_death_on_a_callers_row_closes_the_task_on_the_persons_own(desk: Cast) -> None:  # noqa: F811
    finish(desk, at=makers.now() - timedelta(days=31))
    set_level(desk, "medium")
    assert ask_for_plan_reviews() == 1
    makers.scope_all()
    alert = told(desk)
    makers.scope_all()
    claim_alert(actor=staff(desk.cleo), alert_id=alert.pk)
    makers.scope_all()
    link(desk, alert)
    makers.scope_all()
    death = Ending(disposition=Disposition.DECEASED, verdict=Verdict.TRUE_CRISIS, notes="She has died.")
    resolve_alert(actor=staff(desk.cleo), alert_id=alert.pk, ending=death)
    makers.scope_all()
    assert RiskAlert.objects.get(pk=alert.pk).patient_id != desk.patient.pk
    assert [one.outcome for one in items(desk)] == ["no_action_needed"]


def test_nobody_is_asked_again_for_the_plan_of_somebody_who_left_until_an_alert_is_open(cast: Cast) -> None:
    finish(cast, at=makers.now() - timedelta(days=31))
    set_level(cast, "medium")
    data = EndingData("moved_away", summary="Gone.", days=0)
    discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=data)
    (left,) = items(cast)
    cast.on_duty()
    finish_item(actor=staff(cast.cleo), item_id=left.pk, outcome="no_action_needed")
    makers.scope_all()
    assert ask_for_plan_reviews() == 0
    makers.make_alert(cast.patient, level="high")
    makers.scope_all()
    assert ask_for_plan_reviews() == 1


def test_a_task_is_not_ticked_off_as_reviewed_beside_the_plan(cast: Cast) -> None:
    claimed(cast)
    (item,) = items(cast)
    with pytest.raises(InputRefused, match="on the plan's page"):
        finish_item(actor=staff(cast.alice), item_id=item.pk, outcome="reviewed")
    makers.scope_all()
    finish_item(actor=staff(cast.alice), item_id=item.pk, outcome="no_action_needed")
    assert items(cast)[0].done_at is not None


@pytest.mark.parametrize(("days_ago", "stays", "asked"), [(8, 0, 1), (8, 3, 1), (3, 0, 0)])
def test_whoever_leaves_care_leaves_with_a_plan_that_was_looked_at(
    cast: Cast, days_ago: int, stays: int, asked: int
) -> None:
    finish(cast, at=makers.now() - timedelta(days=days_ago))
    data = EndingData("goals_reached", summary="She is well.", days=stays)
    discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=data)
    found = items(cast)
    assert len(found) == asked
    if found:
        assert found[0].owner == (cast.alice if stays else None)


def test_many_plans_that_are_due_cost_a_fixed_number_of_queries(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    finish(cast, at=makers.now() - timedelta(days=31))
    set_level(cast, "medium")
    with django_assert_max_num_queries(3):
        assert [plan.patient_id for plan, _ in due_for_review(makers.now())] == [cast.patient.pk]
    assert SafetyPlan.objects.current().count() == 1


def test_plans_that_are_due_are_found_each_by_their_index(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as asked:
        due_for_review(makers.now())
    for query, index in zip(asked.captured_queries, ("safety_plan_due", "safety_plan_means"), strict=True):
        with connection.cursor() as cursor:
            # On so small a table the planner would as well sort what another index found.
            for other in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{other} = off")
            plan = plan_of(cursor, query["sql"])
        assert f"using {index} on crisis_safetyplan" in plan, plan
