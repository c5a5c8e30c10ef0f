"""The chores ask the database for rows that need work: what merely waits is not read each second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crisis.alerts.models import RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation.models import NotificationAttempt
from crisis.sweep import queries
from tests import stores
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import make_alert, make_patient, now
from tests.unit.access.test_rows_cost import multiply, rows_changed

pytestmark = pytest.mark.django_db


def raised(cast: Cast) -> RiskAlert:
    return make_alert(make_patient(cast.home), level="critical", reason_code="H1")


def asked(find: Callable[[datetime], list[UUID]]) -> tuple[list[UUID], list[str]]:
    """What a chore finds, and the plan of each of its statements where a table is never read as a whole."""
    with CaptureQueriesContext(connection) as captured:
        found = find(now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [plan_of(cursor, one["sql"]) for one in captured.captured_queries]
    return found, plans


def test_alerts_that_wait_at_a_covered_desk_are_not_read_when_it_is_asked_who_was_left(cast: Cast) -> None:
    shift = cast.on_duty()
    alerts = {raised(cast).pk for _ in range(3)}
    found, plans = asked(queries.uncovered_alert_ids)
    assert (found, len(plans)) == ([], 1)
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    found, plans = asked(queries.uncovered_alert_ids)
    assert (set(found), len(plans)) == (alerts, 2)
    assert "Index Cond: (" in plans[1] and "Seq Scan" not in plans[1], plans[1]


def test_incidents_are_found_by_the_index_of_incidents(cast: Cast) -> None:
    one = raised(cast)  # nobody is on shift: the incident opens
    multiply("crisis_riskalert", one.pk, 3000, id="gen_random_uuid()", kind="'k' || g")  # open, and none
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE crisis_riskalert")
    cast.on_duty()
    found, plans = asked(queries.covered_incident_ids)
    assert found == list(RiskAlert.objects.filter(kind="no_cover").values_list("pk", flat=True))
    assert "one_open_no_cover" in plans[0]


def test_who_was_heard_of_is_one_look_into_the_confirmed_ones(cast: Cast) -> None:
    cast.on_duty()
    heard, _ = raised(cast), raised(cast)
    one = NotificationAttempt.objects.filter(alert=heard).first()
    assert one is not None
    multiply("crisis_notificationattempt", one.pk, 3000, id="gen_random_uuid()")  # sent, and never heard of
    NotificationAttempt.objects.filter(pk=one.pk).update(state="confirmed")
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE crisis_notificationattempt")
    found, plans = asked(queries.confirmed_new_alert_ids)
    assert found == [heard.pk]
    assert "attempt_confirmed" in plans[0]
