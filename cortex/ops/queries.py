"""Reads about the system itself: heartbeats, months, migrations; no patient is named."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from cortex.clock import clock
from cortex.ops.models import FeatureFlag, RetentionPolicy, ServiceHeartbeat, SystemSetting


def answers(alias: str) -> bool:
    """Ask a database for one row; raise its error when it can't."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def is_superuser(alias: str) -> bool:
    """Whether this process works as a role that row-level security doesn't bind."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def seconds_since(name: str, at: datetime | None = None) -> float | None:
    """Return the age of a machine's last round in seconds, or None when it never ran."""
    beat = ServiceHeartbeat.objects.filter(name=name).values_list("last_run_at", flat=True).first()
    return None if beat is None else max(0.0, (clock(at) - beat).total_seconds())


def last_round(name: str, at: datetime | None = None) -> tuple[float, dict[str, Any]] | None:
    """Return the age in seconds and the codes of a machine's last round, or None when it never ran."""
    beat = ServiceHeartbeat.objects.filter(name=name).first()
    return None if beat is None else (max(0.0, (clock(at) - beat.last_run_at).total_seconds()), beat.detail)


def heartbeats() -> list[ServiceHeartbeat]:
    """Return every machine's last round."""
    return list(ServiceHeartbeat.objects.all())


def unapplied_migrations(alias: str) -> int:
    """Return how many migrations this code has that the database lacks."""
    executor = MigrationExecutor(connections[alias])
    targets = executor.loader.graph.leaf_nodes()
    return len([step for step in executor.migration_plan(targets) if _lives_on(alias, step[0].app_label)])


def _lives_on(alias: str, label: str) -> bool:
    return (alias == "keys") == (label == "keys")


def has_month(table: str, month: date) -> bool:
    """Whether a partitioned table has the month of this day."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}_{month:%Y_%m}"])
        return bool(cursor.fetchone()[0])


def months_before(table: str, before: date) -> int:
    """Count the months of a partitioned table that end before the month of this day."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = to_regclass(%s) AND c.relname < %s",
            [f"public.{table}", f"{table}_{before:%Y_%m}"],
        )
        return int(cursor.fetchone()[0])


def setting(key: str, default: Any = None) -> Any:
    """Return the active value of a setting."""
    row = SystemSetting.objects.filter(key=key, is_active=True).values_list("value", flat=True).first()
    return default if row is None else row


def is_flag_on(name: str, *, percentile: int = 0, segment: str = "", at: datetime | None = None) -> bool:
    """Whether a flag holds for a caller whose stable percentile (0-99) and segment are given."""
    flag = FeatureFlag.objects.filter(name=name, is_enabled=True).first()
    if flag is None or percentile >= flag.rollout_percentage:
        return False
    if flag.target_segments and segment not in flag.target_segments:
        return False
    now = clock(at)
    begun = flag.starts_at is None or flag.starts_at <= now
    return begun and (flag.ends_at is None or now < flag.ends_at)


# The models whose rows leave by their policy: its days and whether it is active are read by a job.
BY_POLICY = frozenset(
    {"ops.TelemetryEvent", "ops.ServiceMetric", "ops.ScheduledSlot", "ops.DeadLetter", "ops.CspViolation"}
)


def active_policies(model: str) -> list[RetentionPolicy]:
    """Return the retention rules in force of one model, as app.Model; ValueError for one not in BY_POLICY."""
    if model not in BY_POLICY:
        raise ValueError(f"{model} is not in BY_POLICY: the back office would refuse to change its rule")
    return list(RetentionPolicy.objects.filter(model=model, is_active=True))
