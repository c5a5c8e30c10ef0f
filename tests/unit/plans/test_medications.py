"""What a person takes: a planned last day ends it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from cortex.audit import InputRefused
from tests import makers
from tests.cast import Cast
from tests.unit.plans.test_pages import as_user
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def today() -> date:
    return makers.now().date()


def take(cast: Cast, row: Medication | None = None, **said: Any) -> Medication:
    found = save_medication(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk, fields=MEDICINE | said,
        medication_id=row.pk if row is not None else None,
    )  # fmt: skip
    makers.scope_all()
    return found


def page(cast: Cast, name: str, client: Client | None = None) -> str:
    answer = (client or as_user(cast.alice)).get(reverse(f"clinical:{name}", args=[cast.patient.pk]))
    makers.scope_all()
    return answer.content.decode()


@pytest.mark.parametrize("status", ["active", "on_hold"])
def test_a_medication_whose_last_day_came_is_taken_no_more(cast: Cast, status: str) -> None:
    row = take(cast, name="Lorazepam", status=status, start=today() - 60 * DAY, stop=today() + 5 * DAY)
    assert "Dangerous in overdose: Lorazepam" in page(cast, "plan")
    Medication.objects.filter(pk=row.pk).update(stop=today() - 40 * DAY)
    told = page(cast, "plan")
    assert "Lorazepam" in told and ">Stopped<" in told and "Dangerous in overdose" not in told
    assert "Lorazepam" not in page(cast, "chart")
    timeline = page(cast, "timeline")
    assert "Medication stopped: Lorazepam" in timeline and "Paused now" not in timeline


def test_what_is_taken_has_no_last_day_that_has_come(cast: Cast) -> None:
    for late in (today(), today() - 40 * DAY):
        with pytest.raises(InputRefused, match="This day has come") as refused:
            take(cast, stop=late)
        assert refused.value.extra["field"] == "stop"
    assert not Medication.objects.exists()
    row = take(cast, stop=today() - DAY, status="stopped")
    assert row.is_over(today()) and row.status == "stopped"
