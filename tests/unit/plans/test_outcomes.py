"""Outcomes of 90 days on the plan and its review: attendance in worked numbers, no-shows by day, alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.plans.outcomes.queries import Outcomes, outcomes
from clinical.plans.outcomes.showing import outcome_card
from clinical.scheduling.models import Appointment
from crisis.alerts.models import RiskAlert
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.unit.plans.conftest import Planned

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def seen(cast: Cast, days_ago: float, status: str, patient: Patient | None = None, **more: Any) -> datetime:
    # At noon by UTC it is the same day in the house's zone, where pages say it.
    begin = (makers.now() - days_ago * DAY).replace(hour=12)
    Appointment.objects.create(
        organization=cast.home, patient=patient or cast.patient, therapist=cast.alice, starts_at=begin,
        ends_at=begin + timedelta(minutes=50), status=status, **more,
    )  # fmt: skip
    return begin


def alerted(cast: Cast, kind: str, level: str, days_ago: float, status: str = "") -> None:
    one = makers.make_alert(cast.patient, level, kind=kind)
    at = makers.now() - days_ago * DAY
    RiskAlert.objects.filter(pk=one.pk).update(
        raised_at=at, level_since=at, **({"status": status} if status else {})
    )
    makers.scope_all()


def page(planned: Planned, name: str) -> str:
    answer = makers.client_of(planned.cast.alice).get(reverse(f"clinical:{name}", args=[planned.who]))
    makers.scope_all()
    assert answer.status_code == 200
    return answer.content.decode()


def test_seven_of_eight_took_place_and_the_no_show_is_named(planned: Planned) -> None:
    cast = planned.cast
    for days in (3, 10, 17, 24, 38, 45, 89):
        seen(cast, days, "held")
    missed = seen(cast, 31, "no_show")
    seen(cast, 52, "cancelled", cancel_reason="person_ill")
    seen(cast, 53, "cancelled", cancel_reason="mistake")
    seen(cast, 1, "scheduled")
    seen(cast, -5, "scheduled")
    seen(cast, 91, "no_show")
    other = makers.make_patient(cast.home, team=[cast.alice])
    seen(cast, 4, "no_show", other)
    found = outcomes(cast.patient.person_id, makers.now())
    assert (found.due, found.attendance) == (8, 0.875)
    card = outcome_card(found)
    assert (card["attendance"], card["kept"]) == ("88 %", "7 of 8 took place")
    assert (card["missed"], card["rest"]) == ([f"{missed:%-d %b}"], "1 called off, 1 not noted yet")
    planned.sign()
    for name in ("plan", "plan_review"):
        shown = page(planned, name)
        assert "7 of 8 took place" in shown and f"No-show: {missed:%-d %b}" in shown
        assert "1 called off, 1 not noted yet" in shown


def test_alerts_are_counted_by_level_false_alarms_said_and_merged_ones_left_out(planned: Planned) -> None:
    cast = planned.cast
    alerted(cast, "self_harm", "critical", 2)
    alerted(cast, "medical", "high", 30, "false_alarm")
    alerted(cast, "other", "high", 60)
    alerted(cast, "psychosis_disorientation", "high", 10, "merged")
    alerted(cast, "harm_to_others", "critical", 91, "resolved")
    card = outcome_card(outcomes(cast.patient.person_id, makers.now()))
    assert (card["alert_count"], card["alerts"]) == (3, "1 critical, 2 high, 1 of them a false alarm")
    assert "1 critical, 2 high, 1 of them a false alarm" in page(planned, "plan")


def test_what_was_filed_under_a_linked_row_counts(cast: Cast) -> None:
    linked = makers.make_patient(cast.home)
    Patient.objects.filter(pk=linked.pk).update(merged_into=cast.patient)
    seen(cast, 3, "held", linked)
    assert outcomes(cast.patient.person_id, makers.now()).due == 1


def test_where_nothing_was_to_take_place_there_is_no_share(planned: Planned) -> None:
    assert Outcomes([], []).attendance is None
    assert outcome_card(Outcomes([("cancelled", makers.now())], []))["kept"] == ""
    shown = page(planned, "plan")
    assert "no appointment was to take place" in shown


def test_it_takes_two_statements_by_an_index_however_many_there_are(cast: Cast) -> None:
    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            outcomes(cast.patient.person_id, makers.now())
        return [one["sql"] for one in asked.captured_queries]

    cost()
    for days in range(1, 12):
        seen(cast, days, "held")
    found = cost()
    assert len(found) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in found:
            plan = plan_of(cursor, sql)
            for table in ("clinical_appointment", "crisis_riskalert", "patients_patient"):
                assert f"Seq Scan on {table}" not in plan, plan
