"""Real sweepers over the same due steps: one is killed in mid-batch, two run at once, none runs."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import transaction

from cortex.audit.models import AuditLog
from cortex.ops.embedded import superuser_address
from crisis.alerts.models import AlertEvent
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.sweep.loop import TOGETHER
from tests import stores
from tests.cast import Cast
from tests.faults.system import Program
from tests.live.stage import wait_until
from tests.makers import make_alert, make_patient, now

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

# Which sweepers (by the name that their connections give) stand at a lock that one backend holds.
WAITING = """
    SELECT application_name FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND %s = ANY (pg_blocking_pids(pid))
"""


def due(cast: Cast, count: int, ago: timedelta) -> list[AlertStep]:
    """The second call of so many critical alerts, due for so long; no other step of theirs is due."""
    alerts = [make_alert(make_patient(cast.home)) for _ in range(count)]
    steps = AlertStep.objects.filter(alert__in=alerts, done_at=None)
    steps.exclude(kind="chain").update(due_at=now() + timedelta(hours=1))
    steps.filter(kind="chain").update(due_at=now() - ago)
    found = list(steps.filter(kind="chain"))
    assert [one.position for one in found] == [1] * count
    return found


def undone(steps: list[AlertStep]) -> int:
    return AlertStep.objects.filter(pk__in=[one.pk for one in steps], done_at=None).count()


@contextmanager
def sweeping(folder: Path, name: str) -> Iterator[Program]:
    """A real sweeper, whose connections bear its name."""
    own = {"CORTEX_DB_ROLE": "system", "PGAPPNAME": name,
           "CORTEX_AUDIT_ANCHOR_FILE": str(folder / "anchors.jsonl")}  # fmt: skip
    program = Program(["manage.py", "sweep"], stores.child_environment() | own, folder / f"{name}.log")
    program.start()
    try:
        yield program
    finally:
        program.kill()


def connect() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(superuser_address(stores.DATA_DIR, "main", "cortex_test"), autocommit=True)


@contextmanager
def holding(statement: str, *values: object) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold the locks of a statement in a transaction that stands still; gives the connection that does."""
    with connect() as holder:
        holder.execute("BEGIN")
        holder.execute(statement, values)  # type: ignore[arg-type]
        yield holder
        holder.execute("ROLLBACK")


def at_the_lock(looking: psycopg.Connection[tuple[object, ...]], holder: psycopg.Connection) -> set[object]:
    return {name for (name,) in looking.execute(WAITING, [holder.info.backend_pid]).fetchall()}


def all_are_held(steps: list[AlertStep]) -> bool:
    """Whether somebody's transaction has the rows of all these steps."""
    rows = AlertStep.objects.filter(pk__in=[one.pk for one in steps])
    with transaction.atomic():
        return not list(rows.select_for_update(of=("self",), skip_locked=True))


def assert_each_fired_once(cast: Cast, steps: list[AlertStep]) -> None:
    """Each step called its person's supervisor by each channel once, said so once, and left one row."""
    ids, alerts = [one.pk for one in steps], [one.alert_id for one in steps]
    assert set(AlertStep.objects.filter(pk__in=ids).values_list("outcome", flat=True)) == {"fired"}
    told = Counter(
        NotificationAttempt.objects.filter(step__in=ids).values_list("step_id", "user_id", "channel")
    )
    wanted = {(step, cast.sam.pk, channel) for step in ids for channel in ("board", "email")}
    assert told == dict.fromkeys(wanted, 1)
    said = AlertEvent.objects.filter(alert__in=alerts, kind="step_fired", codes__position=1)
    assert Counter(said.values_list("alert_id", flat=True)) == dict.fromkeys(alerts, 1)
    rows = AuditLog.objects.filter(event_type="step.run", object_id__in=alerts, codes__kind="chain")
    assert Counter(rows.values_list("object_id", flat=True)) == dict.fromkeys(alerts, 1)
    numbers = AlertEvent.objects.filter(organization=cast.home).order_by("feed_number")
    assert list(numbers.values_list("feed_number", flat=True)) == list(range(1, numbers.count() + 1))


def test_a_batch_whose_sweeper_is_killed_before_its_commit_is_run_once_by_the_next_one(
    cast: Cast, tmp_path: Path
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    steps = due(cast, TOGETHER - 5, timedelta(seconds=1))
    # The feed's row is the last that a batch takes: whoever waits for it has written all but the commit.
    feed = "SELECT 1 FROM live_feed WHERE organization_id = %s FOR UPDATE"
    with (
        connect() as looking,
        holding(feed, cast.home.pk) as holder,
        sweeping(tmp_path, "first") as first,
    ):
        wait_until(lambda: "first" in at_the_lock(looking, holder) and all_are_held(steps), 60)
        first.kill()
        assert first.process is not None
        assert first.process.returncode == -signal.SIGKILL
        assert undone(steps) == len(steps), "nothing of it was committed"
        assert not AlertStep.objects.filter(tries__gt=0).exists(), "and nothing was tried twice"
        assert not NotificationAttempt.objects.filter(step__in=steps).exists()
    with sweeping(tmp_path, "second"):
        wait_until(lambda: not undone(steps), 60)
    assert_each_fired_once(cast, steps)


def test_two_sweepers_that_find_the_same_steps_at_one_moment_run_each_once(
    cast: Cast, tmp_path: Path
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    steps = due(cast, 2 * TOGETHER + 5, timedelta(seconds=1))
    gate = "LOCK TABLE crisis_alertstep IN ACCESS EXCLUSIVE MODE"
    both = {"left", "right"}
    with sweeping_both(tmp_path, *both), connect() as looking:
        with holding(gate) as holder:
            wait_until(lambda: at_the_lock(looking, holder) == both, 60)
        wait_until(lambda: not undone(steps), 60)
    assert_each_fired_once(cast, steps)


@contextmanager
def sweeping_both(folder: Path, one: str, other: str) -> Iterator[None]:
    with sweeping(folder, one), sweeping(folder, other):
        yield


def test_what_came_due_while_no_sweeper_ran_is_caught_up_by_the_next_one(cast: Cast, tmp_path: Path) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    ages = (timedelta(hours=20), timedelta(hours=3), timedelta(minutes=10), timedelta(seconds=1))
    steps = [step for ago in ages for step in due(cast, 3, ago)]
    assert undone(steps) == len(steps)
    with sweeping(tmp_path, "next"):
        wait_until(lambda: not undone(steps), 60)
    assert_each_fired_once(cast, steps)
