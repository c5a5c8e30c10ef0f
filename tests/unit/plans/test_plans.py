"""Plans: what they need, what signing fixes, who approves, and what the database refuses by itself."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Instrument
from clinical.plans import queries
from clinical.plans.actions import (
    MOVES,
    begin_plan,
    change_plan,
    decide_approval,
    move_plan,
    record_agreement,
    sign_plan,
)
from clinical.plans.endings.actions import end_plan
from clinical.plans.goals.actions import (
    record_progress,
    save_goal,
    settle_goal,
    take_back_progress,
    tick_milestone,
)
from clinical.plans.interventions.actions import count_session, save_intervention
from clinical.plans.models import Goal, GoalProgress, PlannedIntervention, PlanVersion, TreatmentPlan
from clinical.plans.reviews.actions import hold_review
from clinical.plans.reviews.models import PlanReview
from clinical.plans.reviews.queries import reviews_due
from clinical.plans.versions import differences
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from patients.codes import GrantReason
from patients.registry.access import CHART, READ_ONLY
from tests import makers, stores
from tests.cast import Cast
from tests.unit.audit.test_trail import superuser
from tests.unit.pathway.test_ways import as_user
from tests.unit.plans.conftest import SMART, Planned, setting

pytestmark = pytest.mark.django_db
CALM = {f"q{number}": 2 for number in range(1, 9)} | {"q9": 0}


def content(planned: Planned, number: int) -> dict[str, Any]:
    row = PlanVersion.objects.get(plan=planned.plan, version=number)
    return makers.opened(row, "content")  # type: ignore[no-any-return]


def test_a_person_has_one_plan_that_is_open(planned: Planned) -> None:
    day = planned.plan.start
    with pytest.raises(RuleBroken, match="There is a plan already"):
        begin_plan(
            actor=planned.alice, patient_id=planned.who, presenting_problem="x", start=day,
            target_end=day + timedelta(days=9),
        )  # fmt: skip
    end_plan(actor=planned.alice, patient_id=planned.who, how="discontinue", reason="change")
    begin_plan(
        actor=planned.alice, patient_id=planned.who, presenting_problem="x", start=day,
        target_end=day + timedelta(days=9),
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="plan_one_open_per_patient"), transaction.atomic():
        TreatmentPlan.objects.filter(pk=planned.plan.pk).update(status="draft", ended_at=None)


def test_the_database_keeps_goals_smart(planned: Planned) -> None:
    for goal, changes, name in (
        (planned.walks, {"baseline": 5.0}, "goal_target_is_not_baseline"),
        (planned.mood, {"direction": "higher"}, "goal_number_has_a_way"),
        (planned.mood, {"weight": 6}, "goal_weight_in_bounds"),
        (planned.mood, {"concerns": []}, "goal_serves_something"),
        (planned.mood, {"concerns": ["weather"]}, "goal_concerns_known"),
        (planned.walks, {"window_days": None}, "goal_frequency_has_a_window"),
        (planned.mood, {"status": "lost"}, "goal_status_known"),
        (planned.mood, {"due_date": planned.mood.starts_on}, "goal_due_after_start"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Goal.objects.filter(pk=goal.pk).update(**changes)


def test_the_database_keeps_plans_straight(planned: Planned) -> None:
    for changes, name in (
        ({"patient_agreed": True}, "plan_agreement_has_time"),
        ({"status": "active"}, "plan_in_force_was_signed"),
        ({"status": "discontinued"}, "plan_end_has_time"),
        ({"review_interval_days": 0}, "plan_interval_in_bounds"),
        ({"target_end": planned.plan.start}, "plan_ends_after_start"),
        ({"signed_at": makers.now(), "signed_version": 7}, "plan_signature_is_of_version"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            TreatmentPlan.objects.filter(pk=planned.plan.pk).update(**changes)


def test_a_goal_says_what_it_lacks(planned: Planned) -> None:
    fields = SMART | {
        "specific": "x", "measure_type": "numeric", "metric": "Hours", "baseline": 18.0, "target": 9.0,
        "due_date": planned.plan.target_end,
    }  # fmt: skip
    for changes, name in (
        ({"baseline": None}, "baseline"), ({"target": None}, "target"), ({"target": 18.0}, "target"),
        ({"metric": ""}, "metric"), ({"concerns": []}, "concerns"), ({"concerns": ["weather"]}, "concerns"),
        ({"measure_type": "milestone"}, "steps"), ({"instrument": "phq9", "baseline": 40.0}, "baseline"),
        ({"measure_type": "frequency", "window_days": None}, "window_days"),
        ({"due_date": planned.plan.start}, "due_date"),
    ):  # fmt: skip
        with pytest.raises(InputRefused) as refused:
            save_goal(actor=planned.alice, patient_id=planned.who, fields=fields | changes)
        assert refused.value.extra["field"] == name, changes
    assert Goal.objects.filter(plan=planned.plan).count() == 3


def test_signing_puts_a_plan_into_force_and_seals_what_it_says(planned: Planned) -> None:
    makers.make_alert(planned.cast.patient, "high")
    signed = planned.sign()
    plan = planned.fresh()
    assert (plan.status, plan.signed_version, plan.patient_agreed) == ("active", 1, True)
    assert plan.next_review_at == signed.signed_at + timedelta(days=30)
    assert {one.status for one in Goal.objects.filter(plan=plan)} == {"active"}
    said = content(planned, 1)
    assert said["presenting_problem"] == "Low since the spring."
    assert [one["specific"] for one in said["goals"]] == [
        "Sleep through most nights.",
        "Walk again.",
        "Back to work.",
    ]
    assert said["team"] == [{**said["team"][0], "name": "Alice Achieng", "role": "Primary therapist"}]
    row = AuditLog.objects.get(event_type="plan.signed")
    assert row.codes == {"version": 1, "agreed": True, "needs_approval": False}
    with pytest.raises(RuleBroken, match="signed already"):
        planned.sign()


def test_a_signed_version_is_never_changed_nor_deleted(planned: Planned) -> None:
    signed = planned.sign()
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanVersion.objects.filter(pk=signed.pk).update(patient_agreed=False, consented_at=None)
    with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
        signed.delete()
    with stores.role("cortex_owner"), pytest.raises(DatabaseError), transaction.atomic():
        PlanVersion.objects.filter(pk=signed.pk).update(version=9)


def test_a_change_after_signing_begins_a_version_and_says_what_differs(planned: Planned) -> None:
    planned.sign()
    settle_goal(actor=planned.alice, patient_id=planned.who, goal_id=planned.work.pk, status="cancelled")
    plan = planned.fresh()
    assert (plan.status, plan.version, plan.signed_version, plan.signed_at) == ("active", 2, 1, None)
    assert not plan.patient_agreed
    change_plan(
        actor=planned.alice, patient_id=planned.who, presenting_problem="Low since the winter.",
        start=plan.start, target_end=plan.target_end,
    )  # fmt: skip
    assert planned.fresh().version == 2
    planned.sign(patient_agreed=False)
    found = {
        one.what: (one.before, one.after) for one in differences(content(planned, 1), content(planned, 2))
    }
    assert found["Presenting problem"] == ("Low since the spring.", "Low since the winter.")
    assert found['Goal "Back to work.": status'] == ("Active", "Cancelled")
    assert len(found) == 2
    assert planned.fresh().next_review_at is not None


def test_progress_sessions_and_reviews_change_nothing_of_what_was_agreed(planned: Planned) -> None:
    planned.sign()
    day, alice, who = makers.now().date(), planned.alice, planned.who
    record_progress(actor=alice, patient_id=who, goal_id=planned.mood.pk, value=13, observed_on=day)
    step = GoalProgress.objects.filter(goal=planned.work).earliest("order")
    tick_milestone(actor=alice, patient_id=who, entry_id=step.pk, reached=True)
    row = PlannedIntervention.objects.get(plan=planned.plan)
    count_session(actor=alice, patient_id=who, intervention_id=row.pk)
    settle_goal(actor=alice, patient_id=who, goal_id=planned.walks.pk, status="achieved")
    hold_review(actor=alice, patient_id=who, patient_view="It helps.", decision="continue")
    assert (planned.fresh().version, planned.fresh().is_signed) == (1, True)


def test_a_reading_that_is_taken_back_counts_no_more(planned: Planned) -> None:
    day = makers.now().date()
    for value in (16, 3):
        entry = record_progress(
            actor=planned.alice, patient_id=planned.who, goal_id=planned.mood.pk, value=value, observed_on=day
        )
    assert Goal.objects.get(pk=planned.mood.pk).current == 3
    take_back_progress(actor=planned.alice, patient_id=planned.who, entry_id=entry.pk)
    assert Goal.objects.get(pk=planned.mood.pk).current == 16


def test_a_goal_of_a_measure_takes_its_value_from_the_latest_valid_answers(planned: Planned) -> None:
    fields = SMART | {
        "specific": "Mood", "measure_type": "numeric", "instrument": "phq9", "baseline": 20.0, "target": 8.0,
        "due_date": planned.plan.target_end,
    }  # fmt: skip
    goal = save_goal(actor=planned.alice, patient_id=planned.who, fields=fields)
    view = queries.view_goals(planned.plan.patient, [goal], makers.now())[0]
    assert (view.current, view.standing.pace) == (None, "unknown")
    finish_assessment(actor=planned.alice, patient_id=planned.who, key="phq9", answers=CALM)
    view = queries.view_goals(planned.plan.patient, [goal], makers.now())[0]
    assert (view.current, view.standing.share) == (16, pytest.approx(1 / 3))
    with pytest.raises(RuleBroken, match="from the measure"):
        record_progress(
            actor=planned.alice, patient_id=planned.who, goal_id=goal.pk, value=1,
            observed_on=makers.now().date(),
        )  # fmt: skip
    assert Instrument.objects.get(pk=goal.instrument_id).key == "phq9"


def test_a_measure_of_the_goals_first_hour_counts_though_elsewhere_it_is_still_yesterday(
    planned: Planned,
) -> None:
    night = datetime.combine(
        makers.now().date() - timedelta(days=1), time(21, 30), UTC
    )  # past midnight there
    fields = SMART | {
        "specific": "Mood", "measure_type": "numeric", "instrument": "phq9", "baseline": 20.0, "target": 8.0,
        "due_date": planned.plan.target_end,
    }  # fmt: skip
    goal = save_goal(actor=planned.alice, patient_id=planned.who, fields=fields, at=night)
    assert goal.starts_on == night.date() + timedelta(days=1)
    finish_assessment(actor=planned.alice, patient_id=planned.who, key="phq9", answers=CALM, at=night)
    assert queries.view_goals(planned.plan.patient, [goal], night)[0].current == 16


def test_of_each_instrument_the_newest_total_alone_is_read_and_no_answers(planned: Planned) -> None:
    who, at = planned.cast.patient, makers.now()
    for key, last, days in (("phq9", 0, 20), ("phq9", 1, 2), ("phq9", 2, 9), ("gad7", 1, 5), ("gad7", 2, 8)):
        answers = {f"q{number}": 0 for number in range(1, 7)} | {"q7": last}
        finish_assessment(
            actor=planned.alice, patient_id=who.pk, key=key, answers=answers | {"q8": 0, "q9": 0}
            if key == "phq9" else answers, administered_at=at - timedelta(days=days),
        )  # fmt: skip
    makers.scope_all()
    with CaptureQueriesContext(connection) as asked:
        found = queries.latest_totals(who).values()
    assert sorted((at - one.administered_at).days for one in found) == [2, 5]
    assert [one.total for one in found] == [1, 1]
    assert all("items" in one.get_deferred_fields() for one in found)
    assert 'DISTINCT ON ("clinical_assessment"."instrument_id")' in asked[-1]["sql"]


def test_where_the_service_asks_for_it_a_supervisor_of_the_team_approves(planned: Planned) -> None:
    setting(planned.cast, plans_need_approval=True)
    sam, who = makers.staff(planned.cast.sam), planned.who
    planned.sign()
    assert (planned.fresh().status, planned.fresh().is_signed) == ("draft", True)
    with pytest.raises(NotFound):
        decide_approval(actor=sam, patient_id=who, version=1, approved=True)
    makers.add_to_team(planned.cast.patient, planned.cast.sam, role="supervisor")
    with pytest.raises(RuleBroken, match="supervisor"):
        decide_approval(actor=planned.alice, patient_id=who, version=1, approved=True)
    with pytest.raises(InputRefused):
        decide_approval(actor=sam, patient_id=who, version=1, approved=False)
    decide_approval(actor=sam, patient_id=who, version=1, approved=False, note="Say how sleep is meant.")
    assert (planned.fresh().status, planned.fresh().version) == ("draft", 2)
    planned.sign()
    decide_approval(actor=sam, patient_id=who, version=2, approved=True)
    assert planned.fresh().status == "active"
    with pytest.raises(RuleBroken, match="does not wait"):
        decide_approval(actor=sam, patient_id=who, version=2, approved=True)


def test_an_agreement_that_came_later_is_noted_once(planned: Planned) -> None:
    with pytest.raises(RuleBroken, match="Sign the plan first"):
        record_agreement(actor=planned.alice, patient_id=planned.who)
    planned.sign(patient_agreed=False)
    first = record_agreement(actor=planned.alice, patient_id=planned.who).consented_at
    assert record_agreement(actor=planned.alice, patient_id=planned.who).consented_at == first


def test_a_plan_moves_only_as_its_state_allows(planned: Planned) -> None:
    allowed = {
        ("draft", "discontinue"): "discontinued",
        ("active", "hold"): "on_hold", ("active", "complete"): "completed",
        ("active", "discontinue"): "discontinued", ("on_hold", "resume"): "active",
        ("on_hold", "complete"): "completed", ("on_hold", "discontinue"): "discontinued",
    }  # fmt: skip
    own: dict[str, Any] = {"actor": planned.alice, "patient_id": planned.who}
    for state in ("draft", "active", "on_hold"):
        if state == "active":
            planned.sign()
        elif state == "on_hold":
            move_plan(**own, move="hold")
        for move in ("hold", "resume", "complete", "discontinue"):
            place = transaction.savepoint()
            try:
                if move in MOVES:
                    after = move_plan(**own, move=move).status
                else:
                    after = end_plan(**own, how=move, reason="discharge").status
            except RuleBroken:
                after = None
            transaction.savepoint_rollback(place)
            assert after == allowed.get((state, move)), (state, move)


def test_a_plan_without_a_goal_is_not_signed(cast: Cast) -> None:
    day = makers.now().date()
    begin_plan(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk, presenting_problem="x", start=day,
        target_end=day + timedelta(days=9),
    )  # fmt: skip
    with pytest.raises(RuleBroken, match="needs a goal"):
        sign_plan(actor=makers.staff(cast.alice), patient_id=cast.patient.pk, patient_agreed=True)


def test_a_review_keeps_what_stood_then_and_the_level_decides_when_the_next_is_due(planned: Planned) -> None:
    planned.sign()
    finish_assessment(actor=planned.alice, patient_id=planned.who, key="phq9", answers=CALM)
    at = makers.now()
    review = hold_review(
        actor=planned.alice, patient_id=planned.who, patient_view="Slow.", decision="step_up", at=at
    )
    days = {"low": 90, "medium": 30}[review.risk_level]
    assert review.next_review_at == at + timedelta(days=days)
    assert (review.measures, review.consent_valid, review.plan_version) == ({"phq9": 16}, True, 1)
    assert review.progress == 0
    assert {one["pace"] for one in review.goals} == {"on_track", "unknown"}
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanReview.objects.filter(pk=review.pk).update(decision="continue")
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Done.", decision="discharge")
    assert planned.fresh().status == "completed"


def test_a_critical_alert_makes_the_review_due_within_three_days_until_one_was_held(planned: Planned) -> None:
    planned.sign()
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Well.", decision="continue")
    assert reviews_due([planned.who], makers.now()) == {}
    alert = makers.make_alert(planned.cast.patient, "critical")
    raised = RiskAlert.objects.get(pk=alert.pk).level_since
    later = makers.now() + timedelta(days=4)
    assert reviews_due([planned.who], later) == {planned.who: raised + timedelta(hours=72)}
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Shaken.", decision="change")
    assert reviews_due([planned.who], later) == {}


def test_reviews_due_asks_four_times_however_many_people_and_for_the_last_reviews_alone(
    planned: Planned, django_assert_num_queries: Any
) -> None:
    planned.sign()
    with django_assert_num_queries(4) as asked:
        reviews_due([planned.who, planned.cast.stranger.pk], makers.now(), due_only=False)
    assert any('DISTINCT ON ("clinical_planreview"."plan_id")' in one["sql"] for one in asked)


def test_break_glass_reads_a_plan_and_writes_nothing(planned: Planned) -> None:
    makers.grant(
        planned.cast.patient, planned.cast.bob, reason_code=GrantReason.BREAK_GLASS,
        reason="She called, nobody of her team answers.", permission=CHART,
        ends_at=makers.now() + timedelta(hours=2),
    )  # fmt: skip
    with pytest.raises(RuleBroken, match=READ_ONLY):
        settle_goal(
            actor=makers.staff(planned.cast.bob), patient_id=planned.who, goal_id=planned.mood.pk,
            status="cancelled",
        )  # fmt: skip


def test_an_intervention_is_planned_once_and_for_goals_of_its_own_plan(planned: Planned) -> None:
    given = {"code": "CBT", "frequency": "weekly", "evidence_level": "A"}
    with pytest.raises(InputRefused, match="already"):
        save_intervention(actor=planned.alice, patient_id=planned.who, **given)
    with pytest.raises(InputRefused, match="not of this plan"):
        save_intervention(
            actor=planned.alice, patient_id=planned.who, goals=[planned.plan.pk], **given | {"code": "ACT"}
        )
    with pytest.raises(InputRefused, match="not on the list"):
        save_intervention(actor=planned.alice, patient_id=planned.who, **given | {"code": "NEURAL_AUDIO"})


def test_a_signed_version_that_was_altered_is_told_where_it_is_read(planned: Planned) -> None:
    planned.sign()
    client, told = as_user(planned.cast.alice), "not the text that was signed"
    place = reverse("clinical:plan_version", args=[planned.who, planned.plan.pk, 1])
    assert told not in client.get(place).content.decode()
    makers.scope_all()
    with superuser() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE clinical_planversion SET content_hash = sha256('other')")
    assert told in client.get(place).content.decode()
