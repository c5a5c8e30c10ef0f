"""The timetable with real processes: two beats, none, a Redis that lost everything, a task that kills."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from cortex.audit import SYSTEM
from cortex.celery import app
from cortex.clock import clock
from cortex.ops.letters.models import DeadLetter
from cortex.ops.models import ScheduledSlot
from cortex.ops.slots import actions
from cortex.ops.slots.catchup import catch_up
from cortex.ops.slots.tasking import BEAT, headers
from tests import stores
from tests.faults.system import Program
from tests.live.stage import wait_until

TIMETABLE = {"tick": {"task": "tests.quick.tick", "schedule": 1.0}}
CELERY = ["-m", "celery", "-A", "cortex.celery"]
LEAN = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]


class Run:
    """A worker with two processes and two beats on the test run's stores."""

    def __init__(self, folder: Path) -> None:
        self.lines = folder / "ticks"
        self.lines.touch()
        own = {"DJANGO_SETTINGS_MODULE": "tests.faults.quick_timetable", "CORTEX_DB_ROLE": "system",
               "QUICK_TIMETABLE_FILE": str(self.lines)}  # fmt: skip
        environment = stores.child_environment() | own
        worker = [*CELERY, "worker", "--pool=prefork", "--concurrency=2", *LEAN]
        self.worker = Program(worker, environment, folder / "worker.log")
        self.beats = [
            Program([*CELERY, "beat", f"--schedule={folder / name}", "--loglevel=ERROR", "--pidfile="],
                    environment, folder / f"{name}.log")
            for name in ("one", "two")
        ]  # fmt: skip
        for program in (self.worker, *self.beats):
            program.start()

    def ticks(self) -> Counter[datetime]:
        """How often the work was done, by slot."""
        return Counter(datetime.fromisoformat(line) for line in self.lines.read_text().split())

    def kill(self) -> None:
        for program in (self.worker, *self.beats):
            program.kill()


@pytest.fixture
def run(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Run]:
    settings.CELERY_BEAT_SCHEDULE = TIMETABLE
    redis = Redis.from_url(settings.REDIS_URL)
    redis.flushall()
    catch_up(actor=SYSTEM, at=clock() + actions.GRACE)
    running = Run(tmp_path)
    yield running
    running.kill()
    redis.flushall()
    redis.close()


@pytest.mark.filterwarnings("ignore:task_always_eager has no effect")
def test_two_beats_none_and_a_lost_queue_run_each_slot_once_and_poison_stops_nothing(
    run: Run, settings: Any
) -> None:
    wait_until(lambda: len(run.ticks()) >= 3, 90)
    assert set(run.ticks().values()) == {1}
    # A task that kills its worker: five children die, the others' slots go on.
    poisoned = clock()
    app.send_task("tests.quick.poison", headers=headers("poison", poisoned, BEAT))
    wait_until(lambda: DeadLetter.objects.exists(), 90)
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.error_code) == ("poison", actions.WORKER_LOST)
    assert ScheduledSlot.objects.get(job="poison").tries == actions.MOST_TRIES
    seen = len(run.ticks())
    wait_until(lambda: len(run.ticks()) >= seen + 1, 90)
    # No beat any more, and Redis forgets what was sent.
    for beat in run.beats:
        beat.kill()
        assert beat.process is not None
        assert beat.process.returncode == -signal.SIGKILL
    Redis.from_url(settings.REDIS_URL).flushall()
    until = clock() + timedelta(seconds=2)
    wait_until(lambda: clock() > until, 10)
    # What the sweeper does once a minute, from three sweepers at once as far as the rows can tell.
    for _ in range(3):
        catch_up(actor=SYSTEM, at=until + actions.GRACE)
    wait_until(lambda: not ScheduledSlot.objects.undone().filter(slot__lte=until).exists(), 90)
    ticks = run.ticks()
    slots = sorted(slot for slot in ticks if slot <= until)
    assert slots == [slots[0] + timedelta(seconds=n) for n in range(len(slots))]  # none is missed
    assert until - slots[-1] < timedelta(seconds=1)
    assert set(ticks.values()) == {1}  # and none ran twice
    print(f"\n{len(slots)} slots, each once; {actions.MOST_TRIES} workers killed by poison")
