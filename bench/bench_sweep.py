"""Measures how late due steps run when many are due at once. Run: python -m bench.bench_sweep"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import threading
import time
from datetime import timedelta

os.environ.setdefault("CORTEX_TEST_SLOT", "bench")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.test")


def raise_alerts(count: int) -> None:
    """Raise high and critical alerts of as many people, four to one, with a counselor and a supervisor on."""
    from cortex.audit import system
    from crisis.alerts.actions import raise_alert
    from tests import cast as players
    from tests.makers import make_patient, scope_all

    cast = players.make_cast()
    cast.on_duty()
    cast.on_duty(cast.sam)
    for number in range(count):
        patient = make_patient(cast.home)
        raise_alert(
            actor=system("bench"), organization_id=cast.home.pk, patient_id=patient.pk, kind="self_harm",
            level="critical" if number % 5 == 0 else "high", reason_code="H1",
        )  # fmt: skip
    scope_all()


def sweep() -> tuple[dict[str, list[float]], float]:
    """Make the next step of each alert due now and sweep; return lateness by level and the time taken (s)."""
    from django.db import connection

    from cortex.clock import clock
    from crisis.escalation.models import AlertStep
    from crisis.sweep.loop import run_steps

    at = clock()
    AlertStep.objects.filter(kind="chain", done_at=None).update(due_at=at)
    AlertStep.objects.filter(done_at=None).exclude(kind="chain").update(due_at=at + timedelta(hours=1))
    due = set(AlertStep.objects.due(at).values_list("pk", flat=True))

    def second() -> None:
        run_steps(1)
        connection.close()

    began = time.perf_counter()
    thread = threading.Thread(target=second)
    thread.start()
    run_steps(0)
    thread.join()
    took = time.perf_counter() - began
    late: dict[str, list[float]] = {"critical": [], "high": []}
    for step in AlertStep.objects.filter(pk__in=due).select_related("alert"):
        assert step.done_at is not None, "a step was left"
        late[step.alert.level].append((step.done_at - at).total_seconds())
    return late, took


def main() -> None:
    """Print p50 and p99 lateness by level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    count = parser.parse_args().steps
    from tests import stores

    stores.start()
    try:
        import django

        django.setup()
        logging.disable(logging.CRITICAL)
        stores.build_databases()
        raise_alerts(count)
        late, took = sweep()
        print(f"{count} steps in {took:.1f} s, {count / took:.0f} a second")
        for level, values in late.items():
            cuts = statistics.quantiles(values, n=100)
            print(f"{level:9} {len(values):4} steps   p50 {cuts[49]:6.2f} s   p99 {cuts[98]:6.2f} s")
    finally:
        stores.stop()


if __name__ == "__main__":
    main()
