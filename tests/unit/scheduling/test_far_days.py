"""Days at the ends of the calendar: an address says nothing by them, a form is told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse

from clinical.scheduling.week import monday_of, week_name
from cortex.ui.zone import zone_of
from tests import makers
from tests.cast import Cast
from tests.makers import client_of

pytestmark = pytest.mark.django_db
NOBODY = UUID(int=0)


@pytest.mark.parametrize(
    "asked",
    [
        {"until": "9999-12-31"},
        {"until": "0001-01-01"},
        {"until": "2201-01-01"},
        {"before": f"9999-12-31T23:59:59-14:00~alert~{NOBODY}"},
        {"before": f"0001-01-01T00:00:00+14:00~alert~{NOBODY}"},
    ],
)
def test_a_timeline_of_no_such_day_is_the_first_page(cast: Cast, asked: dict[str, str]) -> None:
    makers.make_alert(cast.patient, "high")
    client, url = client_of(cast.alice), reverse("clinical:timeline", args=[cast.patient.pk])
    page = client.get(url, asked)
    assert page.status_code == 200 and "Alert, high" in page.content.decode()


@pytest.mark.parametrize("week", ["9999-W52", "0001-W01", "2202-W01"])
def test_no_such_week_is_this_one(cast: Cast, week: str) -> None:
    client, url = client_of(cast.alice), reverse("clinical:calendar")
    page = client.get(url, {"week": week})
    today = makers.now().astimezone(zone_of(cast.home.default_timezone)).date()
    assert page.status_code == 200
    assert f"?week={week_name(monday_of(today) + timedelta(days=7))}" in page.content.decode(), "the next one"


def test_forms_refuse_such_a_day_at_its_field(cast: Cast) -> None:
    client = client_of(cast.alice)
    hour = {
        "person": str(cast.patient.pk), "time": "23:30", "minutes": "50", "kind": "session",
        "channel": "phone", "weeks": "2",
    }  # fmt: skip
    for day in ("9999-12-31", "0001-01-01"):
        told = client.post(reverse("clinical:appointment_new"), hour | {"day": day})
        assert told.status_code == 422 and "within a hundred years" in told.content.decode()
        away = {"cover": str(cast.bob.pk), "starts_at": "2030-12-01", "ends_at": day}
        told = client.post(reverse("clinical:absence_new"), away)
        assert told.status_code == 422 and "within a hundred years" in told.content.decode()
