"""The house's own scheduled work; each task may run twice and be lost without harm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task

from cortex.audit import SYSTEM
from cortex.clock import clock
from cortex.ops import actions, health, queries
from cortex.ops.cspreports.actions import drop_violations
from cortex.ops.letters.actions import drop_closed
from cortex.ops.slots.actions import drop_slots
from cortex.ops.slots.tasking import was_caught_up

log = structlog.get_logger(__name__)
DAYS_AHEAD = 62
# The house's own tables whose rows leave by whole months.
BY_MONTH = {"ops.TelemetryEvent": "ops_telemetryevent", "ops.ServiceMetric": "ops_servicemetric"}
# Those whose rows leave one by one.
BY_ROW = {
    "ops.ScheduledSlot": drop_slots,
    "ops.DeadLetter": drop_closed,
    "ops.CspViolation": drop_violations,
}


@shared_task(name="cortex.ops.tasks.make_months")
def make_months() -> int:
    """Keep the partitions two months ahead."""
    today = clock().date()
    return actions.make_months(actor=SYSTEM, since=today, until=today + timedelta(days=DAYS_AHEAD))


@shared_task(name="cortex.ops.tasks.drop_old_months")
def drop_old_months() -> int:
    """Drop the months of telemetry and metrics that are older than their rule; return how many."""
    today = clock().date()

    def drop(model: str, days: timedelta) -> int:
        table, before = BY_MONTH[model], today - days
        if not queries.months_before(table, before):
            return 0
        return actions.drop_months(actor=SYSTEM, table=table, before=before)

    return _by_rule(BY_MONTH, drop)


@shared_task(name="cortex.ops.tasks.drop_old_slots")
def drop_old_slots() -> int:
    """Delete old slots, closed dead letters and old reports of the policy by their rules; return how many."""
    now = clock()
    return _by_rule(BY_ROW, lambda model, days: BY_ROW[model](actor=SYSTEM, before=now - days))


def _by_rule(models: Iterable[str], drop: Callable[[str, timedelta], int]) -> int:
    """Follow each rule in force; one that fails stops no other, and is raised when all were tried."""
    dropped, failed = 0, []
    for model in models:
        for policy in queries.active_policies(model):
            try:
                dropped += drop(model, timedelta(days=policy.days))
            except Exception as error:  # whatever it is, the other rules are followed
                log.error("retention_failed", model=model, error=type(error).__name__)
                failed.append(error)
    if failed:
        raise failed[0]
    return dropped


@shared_task(bind=True, name="cortex.ops.tasks.record_metrics")
def record_metrics(self: Any) -> int:
    """Store one reading of every part, and beat's own sign of life: only its own messages count for that."""
    status, report = health.readiness()
    figures = {f"{name}.milliseconds": part["milliseconds"] for name, part in report["parts"].items()}
    figures["ready"] = float(status == 200)
    queue = report["parts"]["queue"]
    figures |= {f"queue.{name}": float(queue[name]) for name in ("waiting", "lag_seconds") if name in queue}
    if not was_caught_up(self):
        actions.note_round(actor=SYSTEM, name="beat", detail={"status": status})
    return actions.store_metrics(actor=SYSTEM, service="worker", figures=figures)
