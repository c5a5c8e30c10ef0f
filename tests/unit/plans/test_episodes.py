"""Change since the beginning of treatment, and what reviews and the end of treatment ask for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.assessments import queries as measures
from clinical.assessments.actions import finish_assessment
from clinical.assessments.episodes import episode_of, episodes
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, Instrument
from clinical.assessments.planning import queries as planning
from clinical.caseload.queries import caseload
from clinical.plans.models import TreatmentPlan
from clinical.plans.reviews.actions import hold_review
from clinical.plans.reviews.queries import reviews_due
from crisis.reviews.models import ReviewItem
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_pages import as_user, text, url

pytestmark = pytest.mark.django_db


def totals(who: Patient, days: dict[float, int | None], key: str = "phq9") -> list[Assessment]:
    """Administrations so many days ago; a total of None is one that has none."""
    row, at = Instrument.objects.get(key=key, is_enabled=True), makers.now()
    return Assessment.objects.bulk_create(
        Assessment(
            organization_id=who.organization_id, patient=who, instrument=row, language="en", items={},
            mode="paper", administered_at=at - timedelta(days=day), total=total, is_valid=total is not None,
            band="", scored_by_version="1",
        )
        for day, total in days.items()
    )  # fmt: skip


def course_of(who: Patient) -> measures.Course:
    at = makers.now()
    offered = offers.instruments(who.organization_id)
    done = measures.standing([who.pk], at - measures.LOOK_BACK)
    return measures.courses(done, offered, episode_of([who.pk], at))["phq9"]


def test_change_is_reckoned_from_the_first_total_around_the_plans_start(planned: Planned) -> None:
    totals(planned.cast.patient, {300: 24, 50: None, 40: 16, 30: 15, 20: 13, 1: 8})
    client, page = as_user(planned.cast.alice), url(planned, "measures")
    assert "no plan is in force" in text(client, page), "a draft is no treatment yet"
    planned.sign()
    course = course_of(planned.cast.patient)
    assert course.baseline is not None and course.baseline.total == 16
    change = course.since_baseline()
    assert change is not None and (change.points, change.response) == (-8, "full")
    shown = text(client, page)
    assert "Baseline 16 on " in shown
    assert f"within 14 days of the plan&#x27;s start, {planned.plan.start:%-d %b %Y}" in shown
    assert (
        "8, reliably better, response" in shown.split("since the baseline: ")[1] and "<td>baseline" in shown
    )
    assert "Since the baseline of" in text(client, url(planned, "chart"))


def test_without_a_total_around_the_start_the_first_ever_is_the_baseline_and_the_page_says_so(
    planned: Planned,
) -> None:
    planned.sign()
    totals(planned.cast.patient, {300: 20, 61: 16, 20: 12})
    baseline = course_of(planned.cast.patient).baseline
    assert baseline is not None and baseline.total == 20
    assert "none within 14 days of the plan&#x27;s start" in text(
        as_user(planned.cast.alice), url(planned, "measures")
    )


def test_a_list_of_many_people_reckons_from_the_same_baseline_in_two_queries(planned: Planned) -> None:
    planned.sign()
    people = [planned.cast.patient]
    spans = [(58.5, 44, 30.5), (60.5, None, 29)]
    for early, middle, late in spans:
        who = makers.make_patient(planned.cast.home, team=[planned.cast.alice])
        makers.scope_all()
        TreatmentPlan.objects.filter(pk=planned.plan.pk).update(patient=who)
        days = {400: 25, 90: 24, late: 20, 9: 9, 8: 8, 7: 7} | {day: 22 for day in (early, middle) if day}
        totals(who, days)
        at = makers.now()
        found = episodes([who.pk], at)
        read = [(row.pk, row.read()) for row in offers.instruments(who.organization_id)]
        offered = [pk for pk, _ in read]
        rows = measures.ends([who.pk], offered, at - measures.LOOK_BACK, found)
        ends = [(instrument_id, point) for _, instrument_id, point in rows]
        short = measures.courses_of_ends(ends, read, found[who.pk])["phq9"]
        assert short.baseline == course_of(who).baseline
        people.append(who)
    ids, at = [one.pk for one in people], makers.now()
    with CaptureQueriesContext(connection) as seen:
        list(measures.ends(ids, offered, at - measures.LOOK_BACK, episodes(ids, at)))
    assert len(seen) == 2  # the treatments, the ends
    # Two treatments at once, as on every caseload: here one row stands for both people.
    both = dict.fromkeys(ids[1:], found[people[-1].pk])
    points = list(measures.ends(ids, offered, at - measures.LOOK_BACK, both))
    assert {patient_id for patient_id, _, _ in points} == set(ids[1:])


def test_a_deterioration_since_the_treatments_start_is_a_task_although_it_was_worse_before(
    planned: Planned,
) -> None:
    planned.sign()
    totals(planned.cast.patient, {300: 24, 44: 4, 5: 8})
    answers: dict[str, int | None] = {f"q{number}": 1 for number in range(1, 9)} | {"q8": 2, "q9": 0}
    finish_assessment(actor=planned.alice, patient_id=planned.who, key="phq9", answers=answers)
    assert ReviewItem.objects.filter(patient=planned.who, reason_code="measure_worse").count() == 1


def test_a_treatment_says_when_its_review_is_due_as_the_plan_does(planned: Planned, cast: Cast) -> None:
    planned.sign()
    at = makers.now()

    def said() -> object:
        found = episode_of([planned.who], at)
        return found and found.review_at

    assert said() == reviews_due([planned.who], at, due_only=False)[planned.who]
    alert = makers.make_alert(cast.patient, "critical")
    assert said() == reviews_due([planned.who], at, due_only=False)[planned.who]
    assert said() == alert.level_since + timedelta(hours=72)
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Better.", decision="continue")
    makers.scope_all()
    assert said() == reviews_due([planned.who], at, due_only=False)[planned.who]


def test_a_review_asks_for_what_was_not_answered_in_its_last_week(planned: Planned) -> None:
    planned.sign()
    totals(planned.cast.patient, {10: 12})
    totals(planned.cast.patient, {3: 9}, "gad7")
    client, page = as_user(planned.cast.alice), url(planned, "plan_review")
    shown = text(client, page)
    phq9, gad7 = url(planned, "measure_ask", "phq9"), url(planned, "measure_ask", "gad7")
    assert "Measures for this review" in shown and phq9 in shown and gad7 not in shown
    totals(planned.cast.patient, {0: 10})
    assert phq9 not in text(client, page)


def test_the_end_of_treatment_asks_for_measures_until_they_are_answered(planned: Planned) -> None:
    planned.sign()
    totals(planned.cast.patient, {9: 12})
    totals(planned.cast.patient, {2: 9}, "gad7")
    client = as_user(planned.cast.alice)
    assert url(planned, "measure_ask", "phq9") in text(client, url(planned, "discharge"))
    assert "Before you hand over" in text(client, url(planned, "transfer"))
    hold_review(actor=planned.alice, patient_id=planned.who, patient_view="Well.", decision="discharge")
    makers.scope_all()
    at = makers.now()

    def due() -> dict[str, str]:
        people = planning.own_people(planned.cast.alice, at)
        found = planning.due_measures(people, offers.instruments(planned.cast.home.pk), at)
        return {one.key: one.why for one in found[planned.who]}

    assert due() == {"phq9": "discharge"}
    course = course_of(planned.cast.patient)
    assert course.episode is not None, "its change is still reckoned from that treatment's start"
    totals(planned.cast.patient, {0: 4})
    at = makers.now()
    assert due() == {}


def test_a_plan_that_is_signed_is_in_what_a_caseload_keeps_of_somebody(planned: Planned) -> None:
    cast = planned.cast
    totals(cast.patient, {40: 16, 30: 15, 1: 8})
    at = makers.now() + timedelta(minutes=1)
    caseload(cast.alice, at)
    planned.sign()
    makers.scope_all()
    (case,) = caseload(cast.alice, at)
    assert case.courses["phq9"].episode == episode_of([cast.patient.pk], at)
    assert case.courses["phq9"].episode is not None
