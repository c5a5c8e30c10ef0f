"""Contacts are proposed and promised by day, where the service is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crisis.endings.actions import Ending, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reviews.contacts import by_day, proposed_first
from crisis.reviews.models import FollowUp
from tests.cast import Cast
from tests.makers import make_alert, staff
from tests.unit.crisis.test_desk_pages import get, text

NAIROBI = ZoneInfo("Africa/Nairobi")


@pytest.mark.parametrize(
    ("hour", "day", "proposed"),
    [(0, 19, 14), (8, 19, 14), (9, 20, 9), (14, 20, 14), (21, 20, 14), (23, 20, 14)],
)
def test_the_first_contact_is_proposed_by_day_within_24_hours(hour: int, day: int, proposed: int) -> None:
    at = datetime(2026, 11, 19, hour, tzinfo=NAIROBI).astimezone(UTC)
    assert proposed_first(at, NAIROBI) == datetime(2026, 11, day, proposed, tzinfo=NAIROBI)


@pytest.mark.parametrize(
    ("hour", "day", "moved"), [(3, 18, 18), (9, 19, 9), (12, 19, 12), (18, 19, 18), (22, 19, 18)]
)
def test_the_series_falls_between_nine_and_six_and_never_later_than_promised(
    hour: int, day: int, moved: int
) -> None:
    due = datetime(2026, 11, 19, hour, tzinfo=NAIROBI).astimezone(UTC)
    assert by_day(due, NAIROBI) == datetime(2026, 11, day, moved, tzinfo=NAIROBI)


@pytest.mark.django_db
def test_an_alert_that_ends_at_night_calls_nobody_at_night(cast: Cast) -> None:
    cast.on_duty()
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    form = text(get(cast.cleo, "alert_resolve", alert.pk))
    proposed = re.search(r'name="follow_up_at" value="([^"]*)"', form)
    assert proposed is not None
    assert 9 <= int(proposed[1][-5:-3]) <= 18
    zone = ZoneInfo(cast.home.default_timezone)
    night = (timezone.localtime(timezone=zone) + timedelta(days=1)).replace(hour=2, minute=0)
    first = proposed_first(night, zone)
    ending = Ending(
        disposition="remained_community_with_plan", verdict="true_crisis", notes="A plan", follow_up_at=first
    )
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending, at=night)
    rows = FollowUp.objects.filter(alert=alert)
    assert rows.count() == 7
    assert rows.get(label="first").due_at == first
    for row in rows:
        assert 9 <= row.due_at.astimezone(zone).hour <= 18, row.label


@pytest.mark.django_db
@pytest.mark.parametrize(("hour", "minute"), [(8, 10), (12, 0), (18, 30), (23, 50), (5, 0)])
def test_a_first_contact_agreed_for_the_same_hour_tomorrow_is_the_one_after_24_hours(
    cast: Cast, hour: int, minute: int
) -> None:
    """Also where that hour is at night, and the series moves into the day before it."""
    cast.on_duty()
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    zone = ZoneInfo(cast.home.default_timezone)
    at = (timezone.localtime(timezone=zone) + timedelta(days=1)).replace(hour=hour, minute=minute)
    ending = Ending(
        disposition="remained_community_with_plan", verdict="true_crisis", notes="A plan",
        follow_up_at=at + timedelta(days=1),
    )  # fmt: skip
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending, at=at)
    labels = FollowUp.objects.filter(alert=alert).order_by("due_at").values_list("label", flat=True)
    assert list(labels) == ["first", "72h", "7d", "14d", "30d", "60d", "90d"]
