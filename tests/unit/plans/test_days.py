"""Days that nobody means, and an onset behind its end: refused at their field, by form and by action."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.plans.actions import change_plan
from clinical.plans.allergies.actions import save_allergy
from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis
from clinical.plans.goals.actions import record_progress, save_goal
from clinical.plans.medications.actions import save_medication
from clinical.plans.models import TreatmentPlan
from cortex.audit import InputRefused
from tests import makers
from tests.cast import Cast
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.test_pages import as_user
from tests.walk.plans import ALLERGY, MEDICINE

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("start", ["0001-01-01", "0020-03-01", "1899-12-31"])
def test_a_plan_begins_on_no_day_that_nobody_means(cast: Cast, start: str) -> None:
    client = as_user(cast.alice)
    client.raise_request_exception = False
    words = {"presenting_problem": "Low.", "start": start, "target_end": "2030-01-01"}
    answer = client.post(reverse("clinical:plan_begin", args=[cast.patient.pk]), words)
    assert (
        answer.status_code == 422
        and "Choose a day within a hundred years of today." in answer.content.decode()
    )
    makers.scope_all()
    assert not TreatmentPlan.objects.exists()


def test_every_day_that_is_typed_is_bounded_by_its_action(planned: Planned) -> None:
    own: dict[str, Any] = {"actor": planned.alice, "patient_id": planned.who}
    early, late, today = date(1, 1, 1), date(2201, 1, 1), makers.now().date()
    goal = SMART | {"specific": "Walk.", "measure_type": "frequency", "metric": "W", "target": 5.0,
                    "window_days": 7, "due_date": late}  # fmt: skip
    calls: dict[str, Any] = {
        "start": lambda: change_plan(**own, presenting_problem="Low.", start=early, target_end=today),
        "due_date": lambda: save_goal(**own, fields=goal),
        "observed_on": lambda: record_progress(**own, goal_id=planned.walks.pk, value=1, observed_on=early),
        "stop": lambda: save_medication(**own, fields=MEDICINE | {"stop": late}),
        "since": lambda: save_allergy(**own, fields=ALLERGY | {"since": early}),
        "onset": lambda: add_diagnosis(**own, code="F33.1", status="confirmed", onset=early),
    }
    for field, call in calls.items():
        with pytest.raises(InputRefused, match="Choose a day") as refused:
            call()
        assert refused.value.extra["field"] == field
        makers.scope_all()


def test_an_onset_that_is_corrected_lies_before_the_end(cast: Cast) -> None:
    at, own = makers.now(), {"actor": makers.staff(cast.alice), "patient_id": cast.patient.pk}
    row = add_diagnosis(**own, code="F33.1", status="remission", at=at - timedelta(days=20))
    makers.scope_all()
    client = as_user(cast.alice)
    client.raise_request_exception = False
    answer = client.post(
        reverse("clinical:diagnosis_edit", args=[cast.patient.pk, row.pk]),
        {"status": "remission", "onset": f"{at - timedelta(days=5):%Y-%m-%d}", "note": "typed"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "it began before that" in page and "typed" in page
    makers.scope_all()
    change_diagnosis(**own, diagnosis_id=row.pk, status="remission", onset=(at - timedelta(days=40)).date())
