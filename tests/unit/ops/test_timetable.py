"""Which slots a schedule has, and that every job of the settings has some."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.schedules import crontab, schedule
from django.conf import settings

from cortex.celery import app
from cortex.ops.slots.beats import SlotScheduler
from cortex.ops.slots.tasking import SlottedTask
from cortex.ops.slots.timetable import UnknownSchedule, entries, newest_slot, said, slots_between

TIMETABLE = entries(settings.CELERY_BEAT_SCHEDULE)
NOON = datetime(2027, 3, 14, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(TIMETABLE))
def test_every_job_of_the_timetable_has_slots_a_task_and_takes_them(name: str) -> None:
    app.loader.import_default_modules()
    entry = TIMETABLE[name]
    assert isinstance(app.tasks[entry.task], SlottedTask)
    newest = newest_slot(entry.schedule, NOON)
    assert newest <= NOON
    assert slots_between(entry.schedule, newest - timedelta(seconds=1), NOON) == [newest]
    # What was sent for the slot is what the catch-up looks for, whichever of its seconds it is asked in.
    spans = (timedelta(minutes=2), timedelta(days=1), timedelta(days=62))
    later = next(found for span in spans if (found := slots_between(entry.schedule, NOON, NOON + span)))
    assert later[0] > newest
    assert newest_slot(entry.schedule, later[0]) == later[0]
    assert newest_slot(entry.schedule, later[0] - timedelta(microseconds=1)) == newest
    assert len(name) <= 100
    assert len(entry.text) <= 200


def test_beat_is_the_one_that_names_slots() -> None:
    assert app.conf.beat_scheduler == f"{SlotScheduler.__module__}:{SlotScheduler.__qualname__}"


def test_no_task_may_run_longer_than_its_slot_is_kept_for_it_or_than_the_broker_waits() -> None:
    app.loader.import_default_modules()
    for entry in TIMETABLE.values():
        limit = app.tasks[entry.task].time_limit or settings.CELERY_TASK_TIME_LIMIT
        assert limit < settings.CELERY_VISIBILITY_TIMEOUT, entry.name


@pytest.mark.parametrize(
    "plan",
    [
        crontab(), crontab(minute="41"), crontab(minute="*/7", hour="2-5"),
        crontab(minute="5", hour="6", day_of_month="1"), crontab(minute="0", hour="0", day_of_week="sun"),
        crontab(minute="59", hour="23", day_of_week="mon-fri", month_of_year="2,11"),
        crontab(minute="0", hour="12", day_of_month="29", month_of_year="2"),
        crontab(minute="3", day_of_month="31"),
    ],
)  # fmt: skip
def test_slots_are_those_at_which_celery_would_send(plan: crontab) -> None:
    """Asked of Celery itself: between two slots nothing is due, and at a slot something is."""
    dice = random.Random(7)
    for _ in range(40):
        at = NOON + timedelta(seconds=dice.uniform(0, 3 * 366 * 86400))
        slot = newest_slot(plan, at)
        asked = crontab(plan._orig_minute, plan._orig_hour, plan._orig_day_of_week, plan._orig_day_of_month,
                        plan._orig_month_of_year, app=app)  # fmt: skip
        assert due_after(asked, slot - timedelta(seconds=1)) == slot
        assert due_after(asked, slot) > at - timedelta(seconds=1)


def due_after(plan: crontab, moment: datetime) -> datetime:
    start, step, _ = plan.remaining_delta(moment)
    found: datetime = start + step
    return found


def test_intervals_have_fixed_slots_however_they_are_said() -> None:
    for plan in (60, 60.0, timedelta(minutes=1), schedule(60.0)):
        assert newest_slot(plan, NOON) == NOON.replace(second=0)
        assert said(plan) == "every 60 s"
    assert len(slots_between(90.0, NOON, NOON + timedelta(minutes=15))) == 10


@pytest.mark.parametrize("plan", [object(), True, 0, None, "hourly"])
def test_a_schedule_without_slots_is_refused_aloud(plan: Any) -> None:
    with pytest.raises(UnknownSchedule):
        entries({"odd": {"task": "x", "schedule": plan}})
