"""Each slot of the timetable runs once: two beats, none, a killed worker, poison, a queue that was lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from celery import shared_task
from celery.schedules import crontab
from django.db import connection, connections

from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from cortex.celery import app
from cortex.clock import clock
from cortex.ops import health
from cortex.ops.letters.models import DeadLetter
from cortex.ops.models import RetentionPolicy, ScheduledJob, ScheduledSlot, ServiceHeartbeat
from cortex.ops.slots import actions, catchup
from cortex.ops.slots.tasking import BEAT, CATCH_UP, headers
from cortex.ops.slots.timetable import Entry, newest_slot
from cortex.ops.tasks import drop_old_slots

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
ran: list[str] = []
broken: list[type[BaseException]] = []


class Killed(BaseException):
    """What a killed worker looks like from inside: nothing after it runs."""


@shared_task(name="tests.slots.work")
def work() -> None:
    """Say that it ran, or break as the test wants."""
    ran.append("ran")
    if broken:
        raise broken[0]("words of a person")


JOB = Entry("test job", "tests.slots.work", crontab())
OTHER = Entry("other job", "tests.slots.work", crontab())


@pytest.fixture(autouse=True)
def clean(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two jobs each minute; these tests move on by the times that they pass, beside the database's."""
    monkeypatch.setattr(actions, "AHEAD", timedelta(days=30))
    ran.clear()
    broken.clear()
    slot_now.cache_clear()
    settings.CELERY_BEAT_SCHEDULE = {
        one.name: {"task": one.task, "schedule": one.schedule} for one in (JOB, OTHER)
    }
    yield
    broken.clear()


def message(slot: datetime, job: Entry = JOB, sender: str = BEAT, number: str | None = None) -> Any:
    """Let a worker run one message, in this process."""
    task = app.tasks["tests.slots.work"]
    return task.apply(headers=headers(job.name, slot, sender), task_id=number, throw=False)


def states(job: Entry = JOB) -> list[str]:
    rows = ScheduledSlot.objects.filter(job=job.name).order_by("slot")
    return list(rows.values_list("state", flat=True))


class Broker:
    """A queue that the test can lose."""

    def __init__(self) -> None:
        self.messages: list[tuple[Entry, datetime]] = []

    def __call__(self, entry: Entry, slot: datetime) -> None:
        self.messages.append((entry, slot))

    def deliver(self) -> int:
        """Let a worker run everything that waits."""
        waiting, self.messages = self.messages, []
        for entry, slot in waiting:
            message(slot, entry, CATCH_UP)
        return len(waiting)


def sweep(broker: Broker, at: datetime) -> int:
    return catchup.catch_up(actor=SYSTEM, send=broker, at=at)


@cache
def slot_now() -> datetime:
    """The slot that a test began in: the same to its end, also where a minute passes meanwhile."""
    return newest_slot(JOB.schedule, clock())


def test_a_slot_runs_once_however_often_it_is_sent() -> None:
    for number in range(3):
        message(slot_now(), number=f"beat-{number}")
    assert (ran, states()) == (["ran"], ["done"])
    row = ScheduledSlot.objects.get()
    assert (row.tries, row.begun_by) == (1, "beat-0")


def test_a_task_that_is_called_without_a_slot_simply_runs() -> None:
    work()
    app.tasks["tests.slots.work"].apply()
    assert (len(ran), ScheduledSlot.objects.count()) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_of_two_beats_messages_on_two_workers_at_once_one_works() -> None:
    slots = [slot_now() - MINUTE * number for number in range(12)]
    start = threading.Barrier(4)

    def one_worker() -> None:
        start.wait()
        for slot in slots:
            message(slot)
        connections.close_all()

    threads = [threading.Thread(target=one_worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(ran), states()) == (12, ["done"] * 12)


def test_without_a_beat_each_slot_is_sent_by_the_sweeper_and_none_twice() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)  # it learns the jobs: nothing from before is owed
    assert not broker.messages
    for minute in range(1, 11):
        sweep(broker, start + MINUTE * minute + actions.GRACE)
        sweep(broker, start + MINUTE * minute + actions.GRACE)  # the second sweeper
        broker.deliver()
    assert states() == ["done"] * len(states())
    assert len(ran) == len(states()) + len(states(OTHER)) == 20


def test_what_beat_sent_and_a_worker_did_is_not_sent_again() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    for minute in range(1, 6):
        message(start + MINUTE * minute)
        message(start + MINUTE * minute, OTHER)
    assert sweep(broker, start + MINUTE * 5 + actions.GRACE) == 0
    assert len(ran) == 10


def test_a_slot_that_redis_lost_is_sent_again_and_again_until_somebody_did_it() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    at = start + MINUTE + actions.GRACE
    assert sweep(broker, at) == 2
    broker.messages.clear()  # Redis lost everything
    assert sweep(broker, at + MINUTE) == 2  # the next minute's two
    broker.messages.clear()
    assert sweep(broker, at + actions.FIRST_RESEND) >= 2
    for _ in range(2):
        at += timedelta(minutes=15)
        sweep(broker, at)
        broker.deliver()
    assert set(states()) == {"done"}
    assert len(ran) == ScheduledSlot.objects.count()


def test_a_broker_that_is_away_costs_no_slot() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)

    def refuse(entry: Entry, slot: datetime) -> None:
        raise ConnectionError

    at = start + MINUTE + actions.GRACE
    with pytest.raises(ConnectionError):
        catchup.catch_up(actor=SYSTEM, send=refuse, at=at)
    assert sweep(broker, at + timedelta(seconds=1)) == 2


def test_nothing_is_put_into_a_queue_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    start = slot_now()
    catchup.catch_up(actor=SYSTEM, at=start + actions.GRACE)
    monkeypatch.setattr(catchup, "queue_length", lambda: catchup.MOST)
    monkeypatch.setattr(catchup, "send_message", Broker.__call__)
    assert catchup.catch_up(actor=SYSTEM, at=start + MINUTE + actions.GRACE) == 0
    assert ScheduledSlot.objects.undone().count() == 2


def test_after_a_week_without_anything_a_day_is_owed_and_the_newest_of_a_rare_job(settings: Any) -> None:
    monthly = Entry("rare job", JOB.task, crontab(minute="5", hour="6", day_of_month="1"))
    settings.CELERY_BEAT_SCHEDULE |= {monthly.name: {"task": monthly.task, "schedule": monthly.schedule}}
    start = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    broker = Broker()
    sweep(broker, start + actions.GRACE)
    sweep(broker, start + timedelta(days=7))
    assert ScheduledSlot.objects.filter(job=JOB.name).count() == 1440
    assert list(ScheduledSlot.objects.filter(job=monthly.name).values_list("slot", flat=True)) == [
        datetime(2026, 4, 1, 6, 5, tzinfo=UTC)
    ]
    assert len(broker.messages) == catchup.MOST


def test_a_job_whose_schedule_changed_owes_nothing_of_its_new_times_from_before(settings: Any) -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    settings.CELERY_BEAT_SCHEDULE = {JOB.name: {"task": JOB.task, "schedule": 30.0}}
    sweep(broker, start + timedelta(hours=1))
    assert not ScheduledSlot.objects.exists()
    assert ScheduledJob.objects.get(name=JOB.name).schedule == "every 30 s"


def test_what_left_the_timetable_is_owed_by_nobody_a_day_later() -> None:
    broker, start = Broker(), slot_now()
    for back in (timedelta(hours=1), timedelta(days=1, minutes=5)):
        ScheduledSlot.objects.create(job="gone", slot=start - back, send_at=start)
    sweep(broker, start + actions.GRACE)
    assert (broker.messages, ScheduledSlot.objects.get(job="gone").slot) == ([], start - timedelta(hours=1))


def test_a_slot_whose_worker_was_killed_is_taken_again_after_its_time_and_not_before() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    slot = start + MINUTE
    broken.append(Killed)
    with pytest.raises(Killed):
        message(slot, number="first")
    broken.clear()
    assert states() == ["begun"]
    message(slot, number="second")
    assert (states(), len(ran)) == (["begun"], 1)  # somebody may still be at it
    lease = ScheduledSlot.objects.get().lease_until
    assert lease is not None
    assert lease - clock() > timedelta(seconds=600)
    sent = []
    catchup.catch_up(actor=SYSTEM, send=lambda entry, at: sent.append((entry.name, at)), at=lease)
    assert (JOB.name, slot) in sent
    ScheduledSlot.objects.update(lease_until=clock(), begun_at=clock() - MINUTE)
    message(slot, number="third")
    assert (ScheduledSlot.objects.get(slot=slot, job=JOB.name).state, len(ran)) == ("done", 2)


def test_a_message_that_the_broker_gives_again_after_a_kill_may_go_on_at_once() -> None:
    broken.append(Killed)
    with pytest.raises(Killed):
        message(slot_now(), number="same")
    broken.clear()
    message(ScheduledSlot.objects.get().slot, number="same")
    assert (states(), len(ran)) == (["done"], 2)


def test_a_worker_that_comes_back_too_late_does_not_end_what_another_took_over() -> None:
    slot = slot_now()
    own = {"actor": SYSTEM, "job": JOB.name, "slot": slot}
    assert actions.take_slot(**own, message="slow", lease=MINUTE)
    assert actions.take_slot(**own, message="next", lease=MINUTE, at=clock() + 2 * MINUTE)
    assert not actions.finish_slot(**own, message="slow")
    assert not actions.fail_slot(**own, message="slow", error_code="Late")
    assert actions.finish_slot(**own, message="next")


# Poison


def fail_until_dead(broker: Broker, start: datetime) -> datetime:
    """Let the sweeper send a poisoned slot as often as it does; return when it was given up."""
    at = start + MINUTE + actions.GRACE
    for _ in range(40):
        sweep(broker, at)
        broker.deliver()
        if DeadLetter.objects.exists():
            return at
        ScheduledSlot.objects.filter(state="waiting", tries__gt=0).update(send_at=at)
    raise AssertionError("nothing was given up")


def test_a_job_that_raises_five_times_for_a_slot_is_a_dead_letter_by_code_and_the_others_go_on() -> None:
    broken.append(ValueError)
    slot = slot_now()
    for number in range(7):
        result = message(slot, number=f"try-{number}")
        assert result.state == ("FAILURE" if number < 5 else "SUCCESS")
    assert len(ran) == actions.MOST_TRIES
    letter = DeadLetter.objects.get()
    assert (letter.kind, letter.name, letter.slot, letter.error_code) == (
        "task",
        JOB.name,
        slot,
        "ValueError",
    )
    (row,) = AuditLog.objects.filter(event_type="letter.buried")
    assert "words" not in str(row.codes)
    broken.clear()
    message(slot, OTHER)
    message(slot + MINUTE)
    assert (states(OTHER), states()) == (["done"], ["dead", "done"])


def test_a_job_that_kills_its_worker_five_times_is_not_begun_a_sixth_time() -> None:
    broken.append(Killed)
    for _ in range(actions.MOST_TRIES):
        with pytest.raises(Killed):
            message(slot_now(), number="killer")
    message(ScheduledSlot.objects.get().slot, number="killer")
    assert len(ran) == actions.MOST_TRIES
    assert (states(), DeadLetter.objects.get().error_code) == (["dead"], actions.WORKER_LOST)


def test_a_poisoned_job_is_tried_ever_less_often_and_then_only_once_a_slot() -> None:
    broken.append(ValueError)
    slot, at = slot_now(), clock()
    message(slot)
    row = ScheduledSlot.objects.get()
    pauses = []
    while row.state == "waiting":
        pauses.append(round((row.send_at - at).total_seconds() / 60))
        message(slot)
        row.refresh_from_db()
    assert pauses == [1, 2, 4, 8]
    for later in range(1, 4):
        message(slot + MINUTE * later)
    assert len(ran) == actions.MOST_TRIES + 3
    letter = DeadLetter.objects.get()
    assert (letter.times, letter.slot) == (4, slot + MINUTE * 3)


def test_a_poisoned_job_starves_no_other_when_the_sweeper_sends() -> None:
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    broken.append(ValueError)
    at = fail_until_dead(broker, start)
    broken.clear()
    sweep(broker, at + MINUTE)
    broker.deliver()
    assert "done" in states(OTHER)


# What it leaves, and what is seen of it


def test_old_slots_leave_by_rule_and_undone_ones_stay() -> None:
    kept = RetentionPolicy.objects.get(model="ops.ScheduledSlot").days
    old = slot_now() - timedelta(days=kept + 1)
    for slot in (old, slot_now()):
        message(slot)
    ScheduledSlot.objects.create(job=JOB.name, slot=old - MINUTE, send_at=clock())
    assert drop_old_slots() == 1
    assert states() == ["waiting", "done"]


def test_readiness_counts_what_is_late_and_what_was_given_up() -> None:
    assert (health.check_slots().state, health.check_letters().state) == ("ok", "ok")
    ScheduledSlot.objects.create(job=JOB.name, slot=slot_now() - timedelta(hours=1), send_at=clock())
    broken.append(ValueError)
    for _ in range(actions.MOST_TRIES):
        message(slot_now())
    assert health.check_slots().detail["late"] == 1
    # What is being done is not late, however long it takes within its limit.
    own = {"actor": SYSTEM, "job": OTHER.name, "slot": slot_now() - timedelta(hours=2)}
    actions.take_slot(**own, message="long", lease=timedelta(hours=1))
    assert health.check_slots().detail["late"] == 1
    assert (health.check_letters().state, health.check_letters().detail) == (
        "degraded",
        {"task": 1, "row": 0},
    )
    health.readiness()
    text = health.metrics.exposition().decode()
    assert 'cortex_dead_letters{kind="task"} 1.0' in text
    assert "cortex_late_slots 1.0" in text


def test_only_beats_own_messages_are_its_sign_of_life() -> None:
    task = app.tasks["cortex.ops.tasks.record_metrics"]
    task.apply(headers=headers("record metrics", slot_now(), CATCH_UP))
    assert not ServiceHeartbeat.objects.filter(name="beat").exists()
    task.apply(headers=headers("record metrics", slot_now() + MINUTE, BEAT))
    assert ServiceHeartbeat.objects.filter(name="beat").exists()


def test_the_system_role_can_do_all_of_it(as_system: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("cortex_system",)
    broker, start = Broker(), slot_now()
    sweep(broker, start + actions.GRACE)
    broken.append(ValueError)
    fail_until_dead(broker, start)
    assert drop_old_slots() == 0
