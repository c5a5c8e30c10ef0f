"""Messages and emotions are cut by month on their keys, and a window touches its months only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from cortex.ids import floor_of, time_of
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.observations import EmotionObservation
from tests import makers

pytestmark = pytest.mark.django_db
TABLES = [Message._meta.db_table, EmotionObservation._meta.db_table]


def months(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
            " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
            [table],
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize("table", TABLES)
def test_three_months_back_and_two_ahead_exist_and_their_bounds_are_first_days(table: str) -> None:
    found = months(table)
    assert len(found) >= 6
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    bound = found[f"{table}_{first:%Y_%m}"]
    assert f"'{floor_of(first)}'" in bound and f"'{floor_of(following)}'" in bound


@pytest.mark.parametrize("table", TABLES)
def test_nothing_has_a_foreign_key_into_them_and_nothing_but_the_key_is_unique(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = %s::regclass", [table]
        )
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_index WHERE indisunique AND indrelid = %s::regclass", [table])
        assert cursor.fetchone() == (1,)


def test_a_message_lies_in_the_month_of_its_clamped_time_and_keeps_the_sent_time(db: None) -> None:
    patient = makers.make_patient()
    now = makers.now()
    ages = {
        "old": now - timedelta(days=4000),
        "late": now - timedelta(days=45),
        "ahead": now + timedelta(days=9),
    }
    rows = {
        name: makers.make_message(patient, name, sent_at=at, received_at=now) for name, at in ages.items()
    }
    assert abs(time_of(rows["old"].pk) - (now - timedelta(days=60))) < timedelta(seconds=1)
    assert abs(time_of(rows["late"].pk) - ages["late"]) < timedelta(seconds=1)
    assert abs(time_of(rows["ahead"].pk) - (now + timedelta(minutes=5))) < timedelta(seconds=1)
    assert {name: row.sent_at for name, row in rows.items()} == ages
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM patients_message WHERE id = %s", [rows["late"].pk]
        )
        assert cursor.fetchone() == (f"patients_message_{ages['late']:%Y_%m}",)


def test_a_window_reads_its_months_only(db: None) -> None:
    now = makers.now()
    plan = Message.objects.in_window(now - timedelta(minutes=1), now).explain()
    assert f"patients_message_{now:%Y_%m}" in plan
    assert f"patients_message_{now - timedelta(days=62):%Y_%m}" not in plan


def test_the_application_can_not_make_or_drop_months_nor_touch_one_directly(db: None) -> None:
    now = makers.now()
    for statement in (
        "SELECT cortex_make_months('2020-01-01', '2020-01-02')",
        "SELECT cortex_drop_months('patients_message', '2020-01-01')",
        f"TABLE patients_message_{now:%Y_%m}",
    ):
        refusal = pytest.raises(DatabaseError, match="permission denied")
        with refusal, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_expiry_is_eighteen_months_after_the_key(db: None) -> None:
    patient: Patient = makers.make_patient()
    row = makers.make_message(patient, "hello")
    assert row.expires_at - time_of(row.pk) == timedelta(days=548)
