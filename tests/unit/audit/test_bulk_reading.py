"""Compliance is told who reads of unusually many people within an hour, once; nothing is closed to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from cortex.access.context import reading
from cortex.accounts.models import User
from cortex.audit import system
from cortex.audit.bulkreads import tasks
from cortex.audit.bulkreads.actions import notice_bulk_reading
from cortex.audit.bulkreads.queries import MANY, Reader, readers_of_many
from cortex.audit.bulkreads.tasks import MOST_LISTED, MOST_OPENED, watch_bulk_reading
from cortex.audit.models import AuditLog
from cortex.ids import floor_of, uuid7
from cortex.ops.models import Notification
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import now, scope_all, staff

pytestmark = pytest.mark.django_db


def looked(user: User, lists: Sequence[Sequence[UUID]]) -> None:
    """Access rows as a page writes them: one of each list, one of each person who is opened alone."""
    for people in lists:
        with reading(staff(user), purpose="triage") as context:
            context.saw("chart" if len(people) == 1 else "caseload", subjects=people)
    scope_all()


def opened(user: User, count: int) -> None:
    looked(user, [[uuid7()] for _ in range(count)])


def watch() -> int:
    try:
        return watch_bulk_reading()
    finally:
        scope_all()


def told(user: User) -> list[Notification]:
    return list(Notification.objects.filter(recipient=user, code="bulk_reading"))


def test_compliance_is_told_who_opened_many_people_and_reads_which(cast: Cast, client: Client) -> None:
    cora = makers.make_user("compliance", cast.home)
    opened(cast.alice, MOST_OPENED)
    opened(cast.bob, 3)
    assert watch() == 0
    opened(cast.alice, 1)
    assert watch() == 1
    [notice] = told(cora)
    assert notice.codes == {"opened": MOST_OPENED + 1, "listed": 0}
    assert told(cast.ada) == told(cast.alice) == told(cast.sam) == []
    row = AuditLog.objects.get(event_type="access.bulk_noticed")
    assert (row.object_id, row.actor_kind, row.organization_id) == (cast.alice.pk, "system", cast.home.pk)

    client.force_login(cora)
    page = client.get("/break-glass/reviews/").content.decode()
    assert "Somebody looked at unusually many people within an hour." in page
    link = f"/admin/audit/phiaccesslog/?q={cast.alice.pk}"
    assert link in page
    assert cast.alice.full_name not in page
    looks = client.get(link).content.decode()
    assert cast.alice.full_name in looks
    assert cast.bob.full_name not in looks

    client.force_login(cast.alice)
    assert client.get(f"/charts/{cast.patient.pk}/").status_code == 200


def test_lists_count_each_person_once_however_often_they_come(cast: Cast) -> None:
    cora = makers.make_user("compliance", cast.home)
    people = [uuid7() for _ in range(MOST_LISTED + 1)]
    looked(cast.sam, [people[:300], people[:300], people[100:MOST_LISTED]])
    assert watch() == 0
    looked(cast.sam, [people[-2:]])
    assert watch() == 1
    [notice] = told(cora)
    assert notice.codes["listed"] == MOST_LISTED + 1


def test_it_is_said_once_a_day_and_again_when_it_goes_on_the_next(cast: Cast) -> None:
    cora = makers.make_user("compliance", cast.home)
    found, start = Reader(cast.alice.pk, MOST_OPENED + 1, 0), now()
    said = []
    for hours in (0, 1, 23, 25):
        at = start + timedelta(hours=hours)
        said.append(notice_bulk_reading(actor=system("watch"), found=found, at=at) is not None)
        scope_all()
    assert said == [True, False, False, True]
    assert len(told(cora)) == 2


def test_what_was_read_before_the_window_counts_no_more(cast: Cast) -> None:
    opened(cast.alice, 3)
    between = now()
    opened(cast.alice, 2)
    assert readers_of_many(between, until=now(), opened=1, listed=1) == [Reader(cast.alice.pk, 2, 0)]
    assert readers_of_many(between, until=now(), opened=2, listed=1) == []


def test_without_compliance_the_admins_are_told_and_nobody_of_themselves(cast: Cast) -> None:
    opened(cast.alice, MOST_OPENED + 1)
    assert watch() == 1
    assert len(told(cast.ada)) == 1
    cora = makers.make_user("compliance", cast.home)
    opened(cora, MOST_OPENED + 1)
    assert watch() == 1
    assert told(cora) == []
    assert len(told(cast.ada)) == 2


@pytest.mark.parametrize(("hours", "news"), [(3, 1), (23, 1), (27, 0)])
def test_what_was_read_while_no_worker_ran_is_looked_at_when_one_does(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, hours: int, news: int
) -> None:
    """The hours since the last look, at most a day of them; the second look finds nothing new."""
    cora = makers.make_user("compliance", cast.home)
    assert watch() == 0
    opened(cast.alice, MOST_OPENED + 1)
    later = now() + timedelta(hours=hours)
    monkeypatch.setattr(tasks, "clock", lambda: later)
    assert (watch(), watch()) == (news, 0)
    assert len(told(cora)) == news


def test_two_quiet_hours_make_no_loud_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(cast.alice, MOST_OPENED)
    between = now()
    opened(cast.alice, MOST_OPENED)
    assert readers_of_many(between, until=now(), opened=MOST_OPENED, listed=1) == []
    early = readers_of_many(between - timedelta(hours=1), until=between, opened=1, listed=1)
    assert early == [Reader(cast.alice.pk, MOST_OPENED, 0)]


def test_after_a_look_the_next_asks_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(tasks, "readers_of_many", lambda since, **_: asked.append(since) or [])
    watch()
    first = len(asked)
    watch()
    assert first > 200 and len(asked) == first + 1


def test_machines_and_other_houses_are_left_out(cast: Cast) -> None:
    cora = makers.make_user("compliance", cast.home)
    with reading(system("caseload", cast.home.pk), purpose="review") as context:
        context.saw("caseload", subjects=[uuid7() for _ in range(MOST_LISTED + 1)])
    opened(cast.charlie, MOST_OPENED + 1)
    assert watch() == 1
    assert told(cora) == []


def test_the_look_enters_the_log_at_the_last_hour_s_ids(cast: Cast) -> None:
    assert readers_of_many(now(), until=now(), opened=0, listed=0) == []
    since = now() - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        values = {"floor": floor_of(since), "since": since, "until": now(), "opened": 1, "listed": 1}
        asked = cursor.mogrify(MANY, values)  # type: ignore[attr-defined]
        plan = plan_of(cursor, asked)
    assert "Seq Scan" not in plan, plan
    # On so small a table the planner is free to choose the index; each of them is entered by that hour's ids.
    entered = [line for line in plan.splitlines() if "Index Cond:" in line]
    assert entered and all("id >= '" in line for line in entered), plan
