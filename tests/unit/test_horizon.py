"""Typed times: what lies so far off that no driver can load it again is refused at its field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.scheduling.actions import book_appointment
from cortex.audit import InputRefused
from cortex.horizon import FURTHEST, is_far
from crisis.duty.actions import plan_shift
from patients.care.actions import add_to_care_team, grant_access, plan_cover
from patients.covers.actions import plan_absence
from patients.privacy.models import Consent
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
NOW = makers.now()
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def west(cast: Cast) -> Cast:
    """A house west of Greenwich, where the last day of the calendar ends in the year after it."""
    type(cast.home).objects.filter(pk=cast.home.pk).update(default_timezone="America/New_York")
    return cast


def test_a_hundred_years_are_within_and_a_day_more_is_not() -> None:
    assert not is_far(NOW + FURTHEST, NOW) and not is_far((NOW - FURTHEST).date(), NOW)
    assert is_far(NOW + FURTHEST + timedelta(days=1), NOW) and is_far(date.max, NOW) and is_far(date.min, NOW)


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("chart_consent", {"consent_type": "treatment", "granted": "yes", "method": "paper"}, "expires_at"),
        ("chart_people", {"role": "primary_care", "outside_name": "Dr Who"}, "ends_at"),
    ],
)
def test_the_last_day_of_the_calendar_is_refused_at_its_field_and_the_chart_opens(
    west: Cast, name: str, data: dict[str, Any], field: str
) -> None:
    client = makers.client_of(west.alice)
    address = reverse(f"clinical:{name}", args=[west.patient.pk])
    answer = client.post(address, data | {field: "9999-12-31"})
    assert answer.status_code == 422 and "within a hundred years" in answer.content.decode()
    makers.scope_all()
    assert client.get(reverse("clinical:chart", args=[west.patient.pk])).status_code == 200
    makers.scope_all()
    assert not Consent.objects.filter(expires_at__isnull=False).exists()


def test_every_command_that_takes_a_time_refuses_one_that_is_too_far_off(cast: Cast) -> None:
    me, who = staff(cast.alice), cast.patient.pk
    admin = staff(cast.ada)
    place = cast.patient.care_team.filter(user=cast.alice).get()
    far = {"starts_at": NOW, "ends_at": LAST}
    later = {"starts_at": LAST - timedelta(days=1), "ends_at": LAST}
    said: dict[str, Any] = {
        "ends_at": lambda: add_to_care_team(
            actor=admin, patient_id=who, role="case_manager", user_id=cast.bob.pk, **far
        ),
        "starts_at": lambda: plan_cover(actor=admin, member_id=place.pk, user_id=cast.bob.pk, **later),
        "starts_at ": lambda: grant_access(
            actor=admin, patient_id=who, user_id=cast.bob.pk, reason_code="consultation", **later
        ),
        "starts_at  ": lambda: plan_absence(
            actor=me, user_id=cast.alice.pk, cover_id=cast.bob.pk, **later
        ),
        "planned_start": lambda: plan_shift(
            actor=admin, user_id=cast.cleo.pk, organization_id=cast.home.pk, role="counselor",
            planned_start=LAST - timedelta(hours=8), planned_end=LAST,
        ),
        "day": lambda: book_appointment(
            actor=me, patient_id=who, starts=[LAST - timedelta(hours=1)], minutes=50
        ),
        "expires_at": lambda: makers.consent(cast.patient, "treatment", True, expires_at=LAST),
    }  # fmt: skip
    for field, command in said.items():
        with pytest.raises(InputRefused) as refused:
            command()
        assert (refused.value.code, refused.value.extra["field"]) == ("too_far", field.strip())


def test_a_withdrawal_is_not_held_up_by_an_end_that_nobody_can_read(cast: Cast) -> None:
    row = makers.consent(cast.patient, "treatment", False, expires_at=LAST)
    assert row.expires_at is None


def test_a_series_at_the_end_of_the_calendar_is_a_message_and_no_fault(cast: Cast) -> None:
    answer = makers.client_of(cast.alice).post(
        reverse("clinical:appointment_new"),
        {"person": str(cast.patient.pk), "day": "9999-12-28", "time": "10:00", "minutes": "50", "weeks": "4",
         "kind": "session", "channel": "in_person"},
    )  # fmt: skip
    assert answer.status_code == 422
