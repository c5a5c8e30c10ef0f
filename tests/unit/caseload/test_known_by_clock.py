"""What a process keeps of a caseload is read again when the clock alone changes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from clinical.assessments.planning.models import MeasurePlan
from clinical.caseload.queries import Case
from crisis.alerts.models import RiskAlert
from patients.care.models import CareTeamMember
from tests import makers
from tests.cast import Cast
from tests.unit.caseload import written
from tests.unit.caseload.conftest import Reading, anew, kept
from tests.unit.caseload.test_places import assessed, sat

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def _first_total_too_old(cast: Cast, at: datetime) -> None:
    written.measured(cast, at - 730 * DAY)
    written.measured(cast, at - DAY, 2)


def _words_too_old(cast: Cast, at: datetime) -> None:
    written.screened(cast, at - 70 * DAY)
    written.words(cast, at - 60 * DAY)


def _sitting_too_old(cast: Cast, at: datetime) -> None:
    assessed(cast, "high", at - 80 * DAY)
    written.screened(cast, at - 70 * DAY)
    makers.make_session(
        cast.patient, kind="therapy", started_at=at - 60 * DAY, received_at=at, status="completed",
        client_ref=str(uuid4()),
    )  # fmt: skip


def _critical_too_old(cast: Cast, at: datetime) -> None:
    written.screened(cast, at - 50 * DAY)
    RiskAlert.objects.filter(pk=makers.make_alert(cast.patient, "critical").pk).update(
        raised_at=at - 60 * DAY, level_since=at - 42 * DAY
    )


def _colleague_begins(cast: Cast, at: datetime) -> None:
    written.screened(cast, at - DAY)
    CareTeamMember.objects.create(
        organization=cast.home, patient=cast.patient, user=cast.sam, role="supervisor", starts_at=at
    )


def _pause_ends(cast: Cast, at: datetime) -> None:
    """Days begin at midnight where somebody lives."""
    zone = ZoneInfo(cast.patient.zone())
    day = at.astimezone(zone).date()
    MeasurePlan.objects.create(
        organization=cast.home, patient=cast.patient, key="phq9", is_paused=True, paused_until=day,
        reason="burden", set_at=at - DAY,
    )  # fmt: skip


def _session_begins(cast: Cast, at: datetime) -> None:
    sat(cast, at, "scheduled")


def _sitting_put_down_ahead(cast: Cast, at: datetime) -> None:
    assessed(cast, "high", at - DAY)
    written.screened(cast, at - 2 * HOUR)
    makers.make_session(
        cast.patient, kind="therapy", started_at=at, received_at=at, status="scheduled",
        client_ref=str(uuid4()),
    )  # fmt: skip


@pytest.mark.parametrize(
    "arrange",
    [_session_begins, _first_total_too_old, _words_too_old, _sitting_too_old, _critical_too_old,
     _colleague_begins, _pause_ends, _sitting_put_down_ahead],
    ids=lambda one: one.__name__.strip("_"),
)  # fmt: skip
def test_the_clock_alone_changes_a_line_that_nobody_wrote_to(
    cast: Cast, reading: Reading, asked: None, arrange: Callable[[Cast, datetime], None]
) -> None:
    """It is read again at the moment at which something begins or is too long ago, and not before."""
    now = makers.now()
    moment = now + timedelta(minutes=30)
    if arrange is _pause_ends:
        zone = ZoneInfo(cast.patient.zone())
        moment = datetime.combine(now.astimezone(zone).date() + DAY, time(), zone)
    arrange(cast, moment)
    (early,) = kept(cast, moment - timedelta(minutes=20))
    reading.taken()
    (still,) = kept(cast, moment - timedelta(minutes=1))
    assert reading.taken() == [], "nothing has changed yet"
    (late,) = kept(cast, moment + timedelta(minutes=1))
    assert reading.taken() == [cast.patient.pk]
    assert [late] == anew(cast, moment + timedelta(minutes=1))

    def facts(one: Case) -> Any:
        return one.due, one.courses, one.next_at

    assert facts(early) == facts(still) != facts(late)
