"""Writes about the system itself: heartbeats, metrics, months, retention runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from cortex.audit import Actor, action, quiet, record
from cortex.clock import clock
from cortex.ops.models import RetentionPolicy, RetentionRun, ServiceHeartbeat, ServiceMetric


@quiet("a machine's own sign of life, no one's care")
def note_round(*, actor: Actor, name: str, detail: Mapping[str, Any] | None = None) -> None:
    """Say that a machine did its round now, by the database's clock; `detail` holds codes and numbers."""
    ServiceHeartbeat.objects.update_or_create(
        name=name, defaults={"last_run_at": clock(), "detail": dict(detail or {})}
    )


@quiet("figures of the running system")
def store_metrics(
    *, actor: Actor, service: str, figures: Mapping[str, float], at: datetime | None = None
) -> int:
    """Store one row per figure; return how many."""
    now = clock(at)
    rows = [
        ServiceMetric(service_name=service, recorded_at=now, metric_name=name, metric_value=value)
        for name, value in figures.items()
    ]
    ServiceMetric.objects.bulk_create(rows)
    return len(rows)


@quiet("empty tables for months to come")
def make_months(*, actor: Actor, since: date, until: date) -> int:
    """Make every missing month of every partitioned table between two days; return how many were made.

    Needs the system role (or the owner), which alone may call the owner's function.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT cortex_make_months(%s, %s)", [since, until])
        return int(cursor.fetchone()[0])


@action
def drop_months(*, actor: Actor, table: str, before: date) -> int:
    """Drop the months of one table that end before the month of `before`; the database refuses young ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cortex_drop_months(%s, %s)", [table, before])
        dropped = int(cursor.fetchone()[0])
    record(actor, "months.dropped", codes={"table": table, "before": before.isoformat(), "months": dropped})
    return dropped


@action
def note_retention_run(
    *,
    actor: Actor,
    policy_id: UUID,
    scanned: int,
    deleted: int,
    held: int = 0,
    errors: int = 0,
    is_dry_run: bool = False,
    at: datetime | None = None,
) -> RetentionRun:
    """Record what one policy did in one night."""
    policy = RetentionPolicy.objects.get(pk=policy_id)
    run = RetentionRun(
        policy=policy, is_dry_run=is_dry_run, scanned=scanned, deleted=deleted, held=held, errors=errors,
        finished_at=clock(at),
    )  # fmt: skip
    run.save()
    codes = {"scanned": scanned, "deleted": deleted, "held": held, "errors": errors, "dry": is_dry_run}
    record(actor, "retention.ran", run, codes=codes)
    return run
