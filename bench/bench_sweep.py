"""Measures how late due steps run when many are due at once, and what each costs.

python -m bench.bench_sweep                    200 first steps, four high to one critical, two threads
python -m bench.bench_sweep --past-end         calls of critical alerts whose whole chain has been asked
python -m bench.bench_sweep --statements       the statements of one round, counted
python -m bench.bench_sweep --chores           what the chores cost beside so many waiting alerts
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psutil

from bench.kept import keep

os.environ.setdefault("CORTEX_TEST_SLOT", "bench")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.test")


def raise_alerts(count: int, *, past_end: bool) -> None:
    """Raise high and critical alerts of as many people, four to one, with a counselor and a supervisor on.

    With `past_end` all are critical, have called everybody, and are called out again.
    """
    from cortex.audit import system
    from crisis.alerts.actions import raise_alert
    from crisis.alerts.models import RiskAlert
    from crisis.escalation.models import NotificationAttempt
    from tests import cast as players
    from tests.makers import make_patient, scope_all

    cast = players.make_cast()
    cast.on_duty()
    cast.on_duty(cast.sam)
    for number in range(count):
        patient = make_patient(cast.home)
        raise_alert(
            actor=system("bench"), organization_id=cast.home.pk, patient_id=patient.pk, kind="self_harm",
            level="critical" if past_end or number % 5 == 0 else "high", reason_code="H1",
        )  # fmt: skip
    scope_all()
    if past_end:
        RiskAlert.objects.update(chain_position=4)
    NotificationAttempt.objects.update(state="confirmed")


class Cost:
    """CPU seconds of this process and of the databases' own, and the seconds on the wall."""

    wall = ours = theirs = 0.0

    def __str__(self) -> str:
        return f"{self.wall:.2f} s, CPU {self.ours:.2f} s here and {self.theirs:.2f} s in the databases"


@contextmanager
def costing() -> Iterator[Cost]:
    """Measure what happens inside."""
    cost, began, ours, theirs = Cost(), time.perf_counter(), time.process_time(), _databases()
    yield cost
    cost.wall, cost.ours = time.perf_counter() - began, time.process_time() - ours
    after = _databases()
    cost.theirs = sum(spent - theirs.get(pid, 0.0) for pid, spent in after.items())


def _databases() -> dict[int, float]:
    spent = {}
    for one in psutil.Process().children(recursive=True):
        try:
            spent[one.pid] = sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return spent


def make_due() -> Any:
    """Make the next step of each alert due now, and nothing else; return now."""
    from cortex.clock import clock
    from crisis.escalation.models import AlertStep

    at = clock()
    AlertStep.objects.filter(done_at=None).exclude(kind="chain").update(due_at=at + timedelta(hours=1))
    AlertStep.objects.filter(kind="chain", done_at=None).update(due_at=at)
    return at


def sweep() -> tuple[dict[str, list[float]], int, Cost]:
    """Sweep with two threads until nothing is due; return lateness by level (s), how many, and the cost."""
    from django.db import connection

    from crisis.escalation.models import AlertStep
    from crisis.sweep.loop import run_steps
    from tests import stores

    at = make_due()
    due = set(AlertStep.objects.due(at).values_list("pk", flat=True))

    def run(lane: int) -> None:
        while AlertStep.objects.due(at).exists():
            run_steps(lane)

    ran, measured = threading.Event(), threading.Event()

    def second() -> None:
        with stores.role("cortex_system"):
            run(1)
        ran.set()
        measured.wait()  # what its backend spent is gone with it
        connection.close()

    with costing() as cost:
        thread = threading.Thread(target=second)
        thread.start()
        run(0)
        ran.wait()
    measured.set()
    thread.join()
    late: dict[str, list[float]] = {"critical": [], "high": []}
    for step in AlertStep.objects.filter(pk__in=due).select_related("alert"):
        assert step.done_at is not None, "a step was left"
        late[step.alert.level].append((step.done_at - at).total_seconds())
    return late, len(due), cost


def count_statements() -> None:
    """Print the statements of one round, each kind once with its number."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from crisis.sweep.loop import run_steps

    make_due()
    with CaptureQueriesContext(connection) as asked:
        ran = run_steps(0)
    found = Counter(_shape(one["sql"]) for one in asked.captured_queries)
    print(f"{ran} steps, {len(asked)} statements, {len(asked) / ran:.1f} a step")
    for shape, count in found.most_common():
        print(f"{count:6} {shape}")


def _shape(sql: str) -> str:
    short = re.sub(r"SELECT .*? FROM", "SELECT … FROM", re.sub(r'"| (SET|WHERE) .*|\(.*', "", sql))
    locked = " … FOR UPDATE" if "FOR UPDATE" in sql or "FOR NO KEY" in sql else ""
    named = re.sub(r"(SAVEPOINT|RELEASE SAVEPOINT) \S+", r"\1", short)
    return " ".join(named.split())[:70] + locked


def time_chores() -> None:
    """Print what ten rounds of the chores cost while nothing is due."""
    from crisis.sweep.loop import run_chores

    run_chores()
    with costing() as cost:
        for _ in range(10):
            run_chores()
    print(f"10 rounds of chores: {cost}")


def measure(options: argparse.Namespace) -> None:
    """Do what was asked for, on the sweeper's role."""
    raise_alerts(options.steps, past_end=options.past_end)
    if options.statements:
        count_statements()
        return
    if options.chores:
        time_chores()
        return
    late, count, cost = sweep()
    each = 1000 * (cost.ours + cost.theirs) / count
    print(f"{count} steps: {cost}; {each:.1f} ms of CPU each")
    lateness = {}
    for level, values in late.items():
        if len(values) > 1:
            cuts = statistics.quantiles(values, n=100)
            lateness[level] = {"steps": len(values), "p50": round(cuts[49], 3), "p99": round(cuts[98], 3)}
            print(f"{level:9} {len(values):4} steps   p50 {cuts[49]:6.2f} s   p99 {cuts[98]:6.2f} s")
    if not options.past_end:
        cost_a_step = {"steps": count, "milliseconds of CPU a step": round(each, 2)}
        keep("sweep", cost_a_step | {"seconds late": lateness})


def main() -> None:
    """Print p50 and p99 lateness by level, and the cost of a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    for name in ("--past-end", "--statements", "--chores"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args()
    from tests import stores

    stores.start()
    try:
        import django

        django.setup()
        logging.disable(logging.CRITICAL)
        stores.build_databases()
        with stores.role("cortex_system"):
            measure(options)
    finally:
        stores.stop()


if __name__ == "__main__":
    main()
