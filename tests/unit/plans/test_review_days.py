"""The first day of a plan is the person's own, whoever asks; a cut list begins with what is latest."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.urls import reverse

from clinical.assessments.episodes import episode_of
from clinical.caseload.queries import caseload
from clinical.plans.actions import begin_plan, change_plan, sign_plan
from clinical.plans.goals.actions import save_goal
from clinical.plans.models import PlanVersion, TreatmentPlan
from clinical.plans.reviews import queries
from clinical.plans.reviews.actions import hold_review
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.caseload.test_places import assessed
from tests.unit.pathway.test_ways import as_user
from tests.unit.plans.conftest import SMART, Planned

pytestmark = pytest.mark.django_db
HOURS, DAY = timedelta(hours=1), timedelta(days=1)
# Zone, the hours of UTC midnight of the plan's first day at which somebody was in danger, whether it counts.
CRISES = [
    ("Pacific/Auckland", -14, False), ("Pacific/Auckland", -10, True),
    ("America/Los_Angeles", 5, False), ("America/Los_Angeles", 9, True),
    ("Africa/Nairobi", -4, False), ("Africa/Nairobi", -2, True),
    ("Africa/Nairobbi", -1, False), ("Africa/Nairobbi", 1, True),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "hours", "counts"), CRISES)
def test_every_question_counts_the_first_day_where_the_person_lives(
    planned: Planned, zone: str, hours: int, *, counts: bool
) -> None:
    planned.sign()
    Patient.objects.filter(pk=planned.who).update(timezone=zone)
    alert = makers.make_alert(planned.cast.patient, "critical")
    danger = datetime.combine(planned.plan.start, time(), UTC) + hours * HOURS
    RiskAlert.objects.filter(pk=alert.pk).update(raised_at=danger, level_since=danger)
    at, due = makers.now(), danger + timedelta(hours=72) if counts else planned.fresh().next_review_at
    assert queries.reviews_due([planned.who], at, due_only=False) == {planned.who: due}
    episode = episode_of([planned.who], at)
    assert episode is not None and episode.review_at == due
    late = [plan.pk for plan, _ in queries.overdue_for_supervisor(planned.cast.sam, at)]
    assert late == ([planned.plan.pk] if counts else [])


def test_a_danger_that_was_told_on_a_linked_row_asks_for_a_review_everywhere(planned: Planned) -> None:
    planned.sign()
    machine, home = makers.machine(planned.cast.home), planned.cast.home.pk
    caller = create_provisional(actor=machine, organization_id=home)
    makers.scope_all()
    alert = makers.make_alert(caller, "critical")
    link_provisional(actor=machine, provisional_id=caller.pk, patient_id=planned.who)
    danger = makers.now() - 73 * HOURS
    RiskAlert.objects.filter(pk=alert.pk).update(raised_at=danger, level_since=danger)
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(start=danger.date() - DAY)
    assert due_everywhere(planned, makers.now()) == danger + 72 * HOURS


def test_a_plan_that_was_begun_on_a_linked_row_is_reviewed_like_any_other(cast: Cast) -> None:
    machine, alice, today = makers.machine(cast.home), makers.staff(cast.alice), makers.now().date()
    caller = create_provisional(actor=machine, organization_id=cast.home.pk)
    link_provisional(actor=machine, provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    begin_plan(
        actor=alice, patient_id=caller.pk, presenting_problem="Low.", start=today,
        target_end=today + timedelta(days=90),
    )  # fmt: skip
    walk = {"specific": "Walk.", "measure_type": "frequency", "metric": "Walks", "target": 5.0,
            "window_days": 7, "due_date": today + timedelta(days=45)}  # fmt: skip
    save_goal(actor=alice, patient_id=cast.patient.pk, fields=SMART | walk)
    sign_plan(actor=alice, patient_id=cast.patient.pk, patient_agreed=True)
    plan, at = TreatmentPlan.objects.get(), makers.now()
    assert plan.patient_id == caller.pk
    makers.scope_all()
    client = as_user(cast.alice)
    assert "Review now" in client.get(reverse("clinical:plan", args=[cast.patient.pk])).content.decode()
    assert "Zawadi Planted" in client.get(reverse("clinical:plan_reviews")).content.decode()
    makers.scope_all()
    due = plan.next_review_at
    assert queries.reviews_due([cast.patient.pk], at, due_only=False) == {cast.patient.pk: due}
    ((queued, when),) = queries.review_queue(cast.alice, at)
    assert (queued.pk, queued.patient, when) == (plan.pk, cast.patient, due)
    ((late, _),) = queries.overdue_for_supervisor(cast.sam, at + timedelta(days=60))
    assert late.patient == cast.patient


def test_a_queue_that_is_cut_begins_with_what_is_latest(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned.sign()
    other = makers.make_patient(planned.cast.home, team=[planned.cast.alice])
    today = makers.now().date()
    newer = begin_plan(
        actor=planned.alice, patient_id=other.pk, presenting_problem="Low.", start=today,
        target_end=today + timedelta(days=90),
    )  # fmt: skip
    makers.scope_all()
    mine = planned.fresh()
    TreatmentPlan.objects.filter(pk=newer.pk).update(
        status=mine.status, signed_version=1, signed_at=mine.signed_at,
        next_review_at=makers.now() + timedelta(days=90),
    )  # fmt: skip
    alice, at = planned.cast.alice, makers.now()
    assert [plan.pk for plan, _ in queries.review_queue(alice, at)] == [mine.pk, newer.pk]
    monkeypatch.setattr(queries, "MOST", 1)
    assert [plan.pk for plan, _ in queries.review_queue(alice, at)] == [mine.pk]


def entered(planned: Planned, level: str, at: datetime, since: datetime | None = None) -> None:
    assessed(planned.cast, level, at, since)


def due_everywhere(planned: Planned, at: datetime) -> datetime:
    """When the review is due: by the plan, the queue, the treatment that measures and caseloads ask."""
    makers.scope_all()
    own = queries.reviews_due([planned.who], at, due_only=False)[planned.who]
    ((_, queued),) = queries.review_queue(planned.cast.alice, at)
    episode = episode_of([planned.who], at)
    (case,) = caseload(planned.cast.alice, at)
    assert episode is not None
    assert {own, queued, episode.review_at, case.review_at} == {own}
    return own


@pytest.mark.parametrize(("level", "days"), [("medium", 30), ("high", 14), ("critical", 7)])
def test_a_rise_brings_the_review_forward_and_a_fall_leaves_it_there(
    planned: Planned, level: str, days: int
) -> None:
    planned.sign()
    at = makers.now()
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Well.", decision="continue", at=at)
    assert due_everywhere(planned, at) == at + 90 * DAY
    rise = at + 5 * DAY
    entered(planned, level, rise)
    assert due_everywhere(planned, rise + HOURS) == rise + days * DAY
    # The same level, looked at again: it was entered once.
    entered(planned, level, rise + DAY, rise)
    entered(planned, "low", rise + 2 * DAY)
    assert due_everywhere(planned, rise + 3 * DAY) == rise + days * DAY
    late = [one.pk for one, _ in queries.overdue_for_supervisor(planned.cast.sam, rise + (days + 7) * DAY)]
    assert late == [planned.plan.pk]
    held = rise + 4 * DAY
    hold_review(
        actor=planned.alice, patient_id=planned.who, patient_view="Calm.", decision="continue", at=held
    )
    assert due_everywhere(planned, held + HOURS) == held + 90 * DAY


def test_a_level_that_was_known_at_the_signature_moves_no_first_review(planned: Planned) -> None:
    entered(planned, "high", makers.now() - 20 * DAY)
    planned.sign()
    assert due_everywhere(planned, makers.now()) == planned.fresh().next_review_at


def test_another_interval_of_the_plan_holds_from_its_signature_and_forgets_no_rise(planned: Planned) -> None:
    planned.sign()
    at = makers.now()
    rise = at + 10 * DAY
    entered(planned, "high", rise)
    assert due_everywhere(planned, rise + HOURS) == rise + 14 * DAY
    mine = planned.fresh()
    change_plan(
        actor=planned.alice, patient_id=planned.who, presenting_problem="Low mood", start=mine.start,
        target_end=mine.target_end, review_interval_days=7,
    )  # fmt: skip
    assert due_everywhere(planned, rise + HOURS) == rise + 14 * DAY
    planned.sign()
    signed = PlanVersion.objects.order_by("version").first()
    assert signed is not None and due_everywhere(planned, rise + HOURS) == signed.signed_at + 7 * DAY


def test_days_between_reviews_count_from_the_last_one_and_put_none_off(planned: Planned) -> None:
    planned.sign(at=makers.now() - 25 * DAY)
    held = makers.now() - 20 * DAY
    hold_review(
        actor=planned.alice, patient_id=planned.who, patient_view="Well.", decision="continue", at=held
    )
    mine = planned.fresh()
    words = {"presenting_problem": "Low mood", "start": mine.start, "target_end": mine.target_end}
    for days, due in ((14, held + 14 * DAY), (60, held + 14 * DAY)):
        change_plan(actor=planned.alice, patient_id=planned.who, review_interval_days=days, **words)
        planned.sign()
        assert planned.fresh().next_review_at == due


def test_the_chart_says_by_when_a_plan_is_reviewed_after_a_rise(planned: Planned) -> None:
    planned.sign()
    at = makers.now()
    held = at - HOURS
    hold_review(
        actor=planned.alice, patient_id=planned.who, patient_view="Well.", decision="continue", at=held
    )
    entered(planned, "high", at)
    due = at + 14 * DAY
    client = as_user(planned.cast.alice)
    page = client.get(f"/charts/{planned.who}/").content.decode().split("Review the plan")[1][:200]
    assert f"{due.astimezone(zone_of(planned.cast.home.default_timezone)):%-d %b}" in page
