"""Writes about the system itself: heartbeats, metrics, months, retention runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection

from cortex.accounts.appointments import refuse_unless_operator
from cortex.audit import HOUSE, Actor, InputRefused, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.ops import queries
from cortex.ops.models import (
    FeatureFlag,
    RetentionPolicy,
    RetentionRun,
    ServiceHeartbeat,
    ServiceMetric,
    SystemSetting,
)

# A rule of no days deletes what came in just now; one of more than a century is counted out of the calendar.
LEAST_DAYS, MOST_DAYS = 1, 36_500


@quiet("a machine's own sign of life, no one's care")
def note_round(
    *, actor: Actor, name: str, detail: Mapping[str, Any] | None = None, ago: timedelta = timedelta()
) -> None:
    """Say that a machine did its round now, or so long ago, by the database's clock.

    `detail` holds codes and numbers.
    """
    ServiceHeartbeat.objects.update_or_create(
        name=name, defaults={"last_run_at": clock() - ago, "detail": dict(detail or {})}
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


@action
def add_flag(*, actor: Actor, **values: Any) -> FeatureFlag:
    """Add a switch; a safety function has none (InputRefused)."""
    refuse_unless_operator(actor)
    flag = FeatureFlag(**values)
    _check(flag)
    flag.save(force_insert=True)
    record(actor, "flag.created", flag, fields=sorted(values), codes={"name": flag.name}, purpose=HOUSE)
    return flag


@action
def change_flag(*, actor: Actor, featureflag_id: UUID, **values: Any) -> FeatureFlag | Unchanged[FeatureFlag]:
    """Change a switch."""
    refuse_unless_operator(actor)
    flag = FeatureFlag.objects.select_for_update().get(pk=featureflag_id)
    changed = [name for name, value in values.items() if getattr(flag, name) != value]
    if not changed:
        return Unchanged(flag)
    for name in changed:
        setattr(flag, name, values[name])
    _check(flag)
    flag.save(update_fields=[*changed, "updated_at"])
    codes = {"name": flag.name, "on": flag.is_enabled}
    record(actor, "flag.changed", flag, fields=changed, codes=codes, purpose=HOUSE)
    return flag


@action
def set_setting(
    *, actor: Actor, key: str, value: Any, category: str = "", description: str = ""
) -> SystemSetting:
    """Put a new version of a setting in force; earlier versions stay."""
    refuse_unless_operator(actor)
    earlier = SystemSetting.objects.select_for_update().filter(key=key).order_by("-version").first()
    SystemSetting.objects.filter(key=key, is_active=True).update(is_active=False)
    row = SystemSetting(
        key=key, value=value, version=earlier.version + 1 if earlier else 1,
        category=category or (earlier.category if earlier else ""),
        description=description or (earlier.description if earlier else ""),
        updated_by_id=actor.id if actor.kind == "user" else None,
    )  # fmt: skip
    row.save(force_insert=True)
    record(actor, "setting.changed", row, codes={"key": key, "version": row.version}, purpose=HOUSE)
    return row


@action
def change_policy(
    *, actor: Actor, retentionpolicy_id: UUID, **values: Any
) -> RetentionPolicy | Unchanged[RetentionPolicy]:
    """Change how long one kind of row is kept; of a rule that no job reads, its legal basis alone.

    InputRefused for anything else of such a rule: it would say what nobody does.
    """
    refuse_unless_operator(actor)
    policy = RetentionPolicy.objects.select_for_update().get(pk=retentionpolicy_id)
    changed = [name for name, value in values.items() if getattr(policy, name) != value]
    if not changed:
        return Unchanged(policy)
    if policy.model not in queries.BY_POLICY and set(changed) - {"legal_basis"}:
        raise InputRefused(
            "No job reads this row: how long these rows are kept is written in the code, and "
            "an organization's own settings may shorten it. Only the legal basis can be corrected here.",
            "policy_unread",
            field=min(set(changed) - {"legal_basis"}),
        )
    if "days" in changed and not LEAST_DAYS <= values["days"] <= MOST_DAYS:
        raise InputRefused(f"Between {LEAST_DAYS} and {MOST_DAYS} days.", "out_of_range", field="days")
    for name in changed:
        setattr(policy, name, values[name])
    policy.save(update_fields=[*changed, "updated_at"])
    codes = {"model": policy.model, "days": policy.days, "active": policy.is_active}
    record(actor, "retention.changed", policy, fields=changed, codes=codes, purpose=HOUSE)
    return policy


def _check(flag: FeatureFlag) -> None:
    try:
        flag.full_clean()
    except ValidationError as error:
        raise InputRefused("; ".join(error.messages), "flag_refused") from error
