"""What became of plans and goals, and who came in from outside the team, on a timeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.plans.actions import begin_plan, decide_approval, sign_plan
from clinical.plans.endings.actions import end_plan
from clinical.plans.goals.actions import record_progress, save_goal, settle_goal
from clinical.plans.models import Goal, TreatmentPlan
from clinical.plans.reviews.actions import hold_review
from clinical.plans.reviews.models import PlanReview
from clinical.scheduling.actions import book_appointment, note_held, note_no_show
from clinical.scheduling.models import Appointment
from clinical.timeline.actions import pin_entry
from clinical.timeline.care import _review_detail
from clinical.timeline.registry import kinds
from cortex.accounts.choices import Role
from cortex.audit import NotFound
from crisis.exceptions.actions import open_contacts
from crisis.ownership.actions import claim_alert
from patients.breakglass.actions import break_glass, end_break_glass, review_break_glass
from patients.breakglass.models import BreakGlassGrant
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.timeline.test_kinds import page_of, told
from tests.unit.timeline.test_timeline import look

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = ("goals", "plans", "opened")


def own(cast: Cast) -> dict[str, Any]:
    return {"actor": staff(cast.alice), "patient_id": cast.patient.pk}


def planned(cast: Cast, *goals: str) -> list[Goal]:
    today = makers.now().date()
    begin_plan(
        **own(cast), presenting_problem="Low since the spring.", start=today - 45 * DAY,
        target_end=today + 45 * DAY,
    )  # fmt: skip
    common = {"achievable_note": "They did it before.", "concerns": ["sleep"], "weight": 3,
              "due_date": today + 45 * DAY, "measure_type": "numeric", "metric": "Nights awake",
              "baseline": 6.0, "target": 1.0}  # fmt: skip
    return [
        save_goal(**own(cast), fields=common | {"specific": words})
        for words in goals or ("Sleep through most nights.",)
    ]


def booked(cast: Cast, starts: datetime) -> Appointment:
    (one,) = book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[starts], minutes=50
    )
    return one


def settle(cast: Cast, goal: Goal, status: str) -> None:
    settle_goal(**own(cast), goal_id=goal.pk, status=status)
    makers.scope_all()


def ends(cast: Cast) -> dict[UUID, datetime]:
    """When each goal was settled that is."""
    found = look(cast, kinds=["goals"]).entries
    return {one.id: one.at for one in found if one.source == "goal_end"}


def opened_by_bob(cast: Cast) -> BreakGlassGrant:
    one = break_glass(
        actor=staff(cast.bob), asked=cast.patient.anonymous_id, reason_code="imminent_risk",
        reason="Took it all, says her aunt.",
    )  # fmt: skip
    makers.scope_all()
    assert one is not None
    return one


def test_a_goal_stands_where_it_was_settled_in_its_words_by_who_did_it(cast: Cast) -> None:
    slept, walked, worked, running = planned(cast, "Sleep.", "Walk.", "Work.", "Read.")
    sign_plan(**own(cast), patient_agreed=True)
    settle(cast, slept, "achieved")
    settle(cast, walked, "partially_achieved")
    settle(cast, worked, "cancelled")
    assert [one for one in told(cast, kinds=["goals"]) if one[0] == "goal_end"] == [
        ("goal_end", "Goal cancelled: Work.", "", "Alice Achieng"),
        ("goal_end", "Goal partially achieved: Walk.", "", "Alice Achieng"),
        ("goal_end", "Goal achieved: Sleep.", "", "Alice Achieng"),
    ]
    assert running.pk not in ends(cast)
    before = ends(cast)
    record_progress(**own(cast), goal_id=slept.pk, value=0.0, observed_on=makers.now().date())
    makers.scope_all()
    assert ends(cast) == before, "a later reading"
    settle(cast, slept, "active")
    assert slept.pk not in ends(cast)


def test_a_goal_that_the_trail_does_not_know_stands_where_it_was_changed_last(cast: Cast) -> None:
    (slept,) = planned(cast)
    at = makers.now() - 9 * DAY
    Goal.objects.filter(pk=slept.pk).update(status="achieved", updated_at=at)
    (entry,) = (one for one in look(cast, kinds=["goals"]).entries if one.source == "goal_end")
    assert (entry.at, entry.by) == (at, "")


def test_a_review_says_what_was_decided_and_keeps_what_was_said(cast: Cast) -> None:
    planned(cast)
    sign_plan(**own(cast), patient_agreed=True)
    hold_review(**own(cast), patient_view="Better, she says.", decision="continue", summary="Goes well.")
    makers.scope_all()
    assert told(cast, kinds=["plans"])[0] == (
        "plan_review", "Plan reviewed: go on as planned", "Off track, 0 % of the way.", "Alice Achieng",
    )  # fmt: skip
    page = page_of(cast.alice, cast)
    assert "Better, she says" not in page and "Goes well" not in page
    hold_review(**own(cast), patient_view="Done.", decision="discharge")
    makers.scope_all()
    ends = [one[:2] for one in told(cast, kinds=["plans"])][:2]
    assert set(ends) == {("plan_end", "Plan completed"), ("plan_review", "Plan reviewed: end treatment")}


def test_a_review_s_detail_says_where_the_plan_stood_what_was_missing_and_that_it_was_late() -> None:
    at = makers.now()
    unread = PlanReview(progress=None, pace="unknown", consent_valid=True, held_at=at, due_at=at)
    assert _review_detail(unread) == "No reading yet."
    late = PlanReview(progress=0.62, pace="on_track", consent_valid=False, held_at=at, due_at=at - DAY)
    told = "On track, 62 % of the way. Consent to treatment was missing. Held late."
    assert _review_detail(late) == told


def test_a_plan_s_approval_and_its_end_say_who_did_it(cast: Cast) -> None:
    cast.home.settings = cast.home.settings | {"plans_need_approval": True}
    cast.home.save()
    makers.add_to_team(cast.patient, cast.sam, role="supervisor")
    planned(cast)
    sign_plan(**own(cast), patient_agreed=True)
    word: dict[str, Any] = {"actor": staff(cast.sam), "patient_id": cast.patient.pk}
    decide_approval(**word, version=1, approved=False, note="The goals are thin.")
    sign_plan(**own(cast), patient_agreed=True)
    decide_approval(**word, version=2, approved=True)
    end_plan(**own(cast), how="discontinue", reason="change")
    makers.scope_all()
    found = [one for one in told(cast, kinds=["plans"]) if one[0] in ("plan_word", "plan_end")]
    assert found == [
        ("plan_end", "Plan discontinued", "", "Alice Achieng"),
        ("plan_word", "Plan approved, version 2", "", "Sam Simiyu"),
        ("plan_word", "Plan given back, version 1", "", "Sam Simiyu"),
    ]
    page = page_of(cast.alice, cast)
    assert "The goals are thin" not in page
    plan = TreatmentPlan.objects.get(patient=cast.patient)
    assert page.count(reverse("clinical:plan_version", args=[cast.patient.pk, plan.pk, 2])) == 2


def test_a_chart_that_was_opened_from_outside_says_who_why_and_until_when_and_no_more(cast: Cast) -> None:
    one = opened_by_bob(cast)
    (entry,) = look(cast, kinds=["opened"]).entries
    assert (entry.source, entry.id, entry.by) == ("glass", one.pk, "Bob Barasa")
    assert entry.at == one.grant.starts_at
    assert entry.detail.startswith("Somebody is in imminent danger. ")
    page = page_of(cast.alice, cast)
    assert "Chart opened by break-glass" in page
    assert reverse("clinical:chart_access", args=[cast.patient.pk]) in page
    end_break_glass(actor=staff(cast.bob), patient_id=cast.patient.pk)
    judge = makers.make_user(Role.COMPLIANCE, cast.home)
    review_break_glass(actor=staff(judge), glass_id=one.pk, verdict="inappropriate", note="No danger.")
    makers.scope_all()
    page = page_of(cast.alice, cast)
    for words in ("Took it all", "No danger.", "nappropriate"):
        assert words not in page
    assert "It was open until" in page


def test_who_may_not_open_the_chart_learns_of_no_opening(cast: Cast) -> None:
    one = opened_by_bob(cast)
    for user in (cast.charlie, cast.sam):
        client = makers.client_of(user)
        assert client.get(reverse("clinical:timeline", args=[cast.patient.pk])).status_code == 404
        with pytest.raises(NotFound):
            pin_entry(actor=staff(user), patient_id=cast.patient.pk, source="glass", item_id=one.pk)
    other = makers.make_patient(cast.home, team=[cast.alice])
    with pytest.raises(NotFound):
        pin_entry(actor=staff(cast.alice), patient_id=other.pk, source="glass", item_id=one.pk)


def test_contacts_that_were_opened_without_consent_say_for_what_and_until_when(cast: Cast) -> None:
    makers.consent(cast.patient, "emergency_contact", granted=False)
    cast.on_duty()
    alert = makers.make_alert(cast.patient, level="critical")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    open_contacts(actor=staff(cast.cleo), alert_id=alert.pk, reason="She is on the bridge.")
    makers.scope_all()
    (entry,) = look(cast, kinds=["opened"]).entries
    assert (entry.source, entry.by) == ("contacts_opened", "Cleo Cherono")
    assert entry.detail.startswith("For an alert, critical. ")
    assert "on the bridge" not in page_of(cast.alice, cast)


def test_the_moves_have_filters_and_pins_and_a_search_finds_them(cast: Cast) -> None:
    assert {"goals", "opened"} <= set(kinds())
    (slept,) = planned(cast)
    sign_plan(**own(cast), patient_agreed=True)
    hold_review(**own(cast), patient_view="Better.", decision="continue")
    settle(cast, slept, "achieved")
    end_plan(**own(cast), how="complete", reason="discharge")
    opened_by_bob(cast)
    makers.scope_all()
    found = look(cast, kinds=NEW).entries
    assert {"goal", "goal_end", "plan_review", "plan_end", "plan", "glass"} == {one.source for one in found}
    for entry in found:
        pin_entry(**own(cast), source=entry.source, item_id=entry.id)
    assert {one.id for one in look(cast, only_pinned=True).entries} == {one.id for one in found}
    assert [one.source for one in look(cast, words="sleep through").entries] == ["goal_end", "goal"]


def test_more_moves_cost_no_more_statements_and_each_is_found_by_an_index(cast: Cast) -> None:
    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            look(cast, kinds=NEW)
        return [one["sql"] for one in asked.captured_queries]

    goals = planned(cast, *(f"Goal {number}" for number in range(5)))
    sign_plan(**own(cast), patient_agreed=True)
    settle(cast, goals[0], "achieved")
    hold_review(**own(cast), patient_view="Better.", decision="continue")
    makers.scope_all()
    few = cost()
    for goal in goals[1:]:
        settle(cast, goal, "partially_achieved")
    hold_review(**own(cast), patient_view="Better.", decision="continue")
    makers.scope_all()
    many = cost()
    assert len(many) == len(few)
    tables = ("clinical_planapproval", "clinical_planreview", "clinical_treatmentplan", "clinical_goal",
              "patients_breakglassgrant", "patients_contactexception")  # fmt: skip
    asked = [sql for sql in many if any(f'FROM "{one}"' in sql for one in tables)]
    assert len(asked) == 7
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            plan = plan_of(cursor, sql)
            assert not any(f"Seq Scan on {name}" in plan for name in (*tables, "audit_auditlog")), plan


def test_an_hour_that_was_held_without_a_session_is_told_and_one_that_became_a_session_is_not(
    cast: Cast,
) -> None:
    at = makers.now()
    held, became, missed, open_still = (booked(cast, at - days * DAY) for days in (2, 4, 6, 8))
    sat = makers.make_session(
        cast.patient, kind="therapy", status="completed", started_at=at - 4 * DAY, received_at=at
    )
    for one, session in ((held, None), (became, sat.pk)):
        note_held(actor=staff(cast.alice), appointment_id=one.pk, session_id=session)
    note_no_show(actor=staff(cast.alice), appointment_id=missed.pk)
    makers.scope_all()
    assert told(cast, kinds=["appointments"]) == [
        ("appointment", "Appointment: took place", "", "Alice Achieng"),
        ("appointment", "Appointment: no-show", "", "Alice Achieng"),
    ]
    whole = {one.id for one in look(cast).entries}
    assert {held.pk, missed.pk, sat.pk} <= whole
    assert not {became.pk, open_still.pk} & whole
    assert reverse("clinical:appointment", args=[held.pk]) in page_of(cast.alice, cast)
