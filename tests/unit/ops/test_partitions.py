"""Months exist ahead of time, nobody reaches around the parent, and young months can't be dropped."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from cortex.ops import actions, queries, tasks
from cortex.ops.models import ServiceMetric
from cortex.ops.tasks import drop_old_months, make_months
from tests import stores

pytestmark = pytest.mark.django_db
TABLE = "ops_servicemetric"


def months(back: int, ahead: int) -> list[date]:
    first = stores.month_of_build()
    number = first.year * 12 + first.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(number - back, number + ahead + 1)]


def test_migrations_make_three_months_back_and_two_ahead() -> None:
    assert [queries.has_month(TABLE, month) for month in months(3, 2)] == [True] * 6
    assert not queries.has_month(TABLE, months(0, 3)[-1])


def test_a_row_lands_in_the_month_of_its_id() -> None:
    at = datetime.now(UTC) - timedelta(days=35)
    row = ServiceMetric(id=uuid7(at), service_name="s", recorded_at=at, metric_name="m", metric_value=1)
    row.save()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {TABLE} WHERE id = %s", [row.id])  # noqa: S608
        assert cursor.fetchone()[0] == f"{TABLE}_{at:%Y_%m}"


def test_a_row_without_a_month_is_refused_not_hidden_in_a_default() -> None:
    at = datetime.now(UTC) - timedelta(days=400)
    row = ServiceMetric(id=uuid7(at), service_name="s", recorded_at=at, metric_name="m", metric_value=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_application_makes_no_months() -> None:
    with pytest.raises(ProgrammingError, match="permission denied for function"), transaction.atomic():
        actions.make_months(actor=SYSTEM, since=date(2020, 1, 1), until=date(2020, 1, 1))


def test_the_application_reaches_no_partition_around_its_parent() -> None:
    part = f"{TABLE}_{datetime.now(UTC):%Y_%m}"
    for statement in (f"SELECT 1 FROM {part}", f"DELETE FROM {part}", f"TRUNCATE {part}"):  # noqa: S608
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


def test_the_system_role_makes_missing_months_once(as_system: None) -> None:
    far = months(0, 8)[-1]
    assert actions.make_months(actor=SYSTEM, since=far, until=far) >= 2
    assert queries.has_month(TABLE, far)
    assert actions.make_months(actor=SYSTEM, since=far, until=far) == 0


def test_the_task_finds_everything_made(as_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of the month of the build: it may be over, and 62 days ahead of 31 January is April."""
    built = datetime.combine(stores.month_of_build().replace(day=15), time(12), UTC)
    monkeypatch.setattr(tasks, "clock", lambda: built)
    assert make_months() == 0


def test_old_months_can_be_dropped_and_young_ones_never(as_system: None) -> None:
    old = date(2021, 3, 1)
    actions.make_months(actor=SYSTEM, since=old, until=old)
    assert queries.has_month(TABLE, old)
    assert actions.drop_months(actor=SYSTEM, table=TABLE, before=date(2021, 4, 1)) == 1
    assert not queries.has_month(TABLE, old)
    with pytest.raises(DatabaseError, match="keeps its rows for 31 days"), transaction.atomic():
        actions.drop_months(actor=SYSTEM, table=TABLE, before=datetime.now(UTC).date())


def test_only_tables_partitioned_by_month_lose_months(as_system: None) -> None:
    with pytest.raises(DatabaseError, match="is not partitioned by month"), transaction.atomic():
        actions.drop_months(actor=SYSTEM, table="accounts_user", before=date(2000, 1, 1))


def test_each_night_months_beyond_their_rule_leave_on_record_and_no_others(as_system: None) -> None:
    assert drop_old_months() >= 1
    assert not queries.has_month(TABLE, months(3, 0)[0])
    assert all(queries.has_month("ops_telemetryevent", month) for month in months(3, 2))
    assert all(queries.has_month(TABLE, month) for month in months(0, 2))
    assert AuditLog.objects.get(event_type="months.dropped").codes["table"] == TABLE
    assert drop_old_months() == 0
