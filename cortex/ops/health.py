"""Whether this process can serve, part by part, with the reason when it can't; no page is made here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from redis import Redis, RedisError

from cortex.ops import metrics, queries

SWEEPER = "sweeper"
SWEEPER_LATE_SECONDS = 15.0
TRAIL = "trail verified"
TRAIL_LATE_SECONDS = 26 * 3600.0
QUEUE_LONG = 1000
QUEUE = "celery"
PARTITIONED = "ops_telemetryevent"
# Without these nothing can be served. The others fail softly: taking the pages out of service because the
# sweeper stands or Redis is gone would only add to the harm, so they show as degraded and as metrics.
ESSENTIAL = ("database", "keys", "migrations")


@dataclass
class Part:
    """One part's state: ok, degraded or down, with codes and numbers."""

    state: str
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the answer shows."""
        return {"state": self.state, **self.detail}


def readiness() -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the whole report; every part is asked even when one fails."""
    parts: dict[str, Part] = {}
    for name, check in CHECKS.items():
        begun = time.perf_counter()
        parts[name] = _ask(check)
        parts[name].detail["milliseconds"] = round((time.perf_counter() - begun) * 1000, 1)
        metrics.ready.labels(name).set(parts[name].state == "ok")
    down = [name for name in ESSENTIAL if parts[name].state != "ok"]
    degraded = [name for name, part in parts.items() if part.state != "ok"]
    state = "not ready" if down else "degraded" if degraded else "ready"
    body = {"status": state, "parts": {name: part.as_json() for name, part in parts.items()}}
    return (503 if down else 200), body


def _ask(check: Callable[[], Part]) -> Part:
    try:
        return check()
    except Exception as error:
        return Part("down", {"error": type(error).__name__})


def check_database() -> Part:
    """Ask the main database."""
    queries.answers("default")
    return Part("ok")


def check_keys() -> Part:
    """Ask the keys' database."""
    queries.answers("keys")
    return Part("ok")


_applied: set[str] = set()


def check_migrations() -> Part:
    """Compare code and databases; a clean answer is remembered, since the code doesn't change under us."""
    missing = 0
    for alias in ("default", "keys"):
        if alias not in _applied:
            count = queries.unapplied_migrations(alias)
            missing += count
            if not count:
                _applied.add(alias)
    return Part("down", {"unapplied": missing}) if missing else Part("ok")


def check_months() -> Part:
    """Look whether the next month's partitions exist."""
    coming = (date.today().replace(day=1) + timedelta(days=32)).replace(day=1)  # noqa: DTZ011 (months are UTC days)
    there = queries.has_month(PARTITIONED, coming)
    return Part("ok") if there else Part("degraded", {"missing": f"{coming:%Y-%m}"})


def check_sweeper() -> Part:
    """Look at the sweeper's last round."""
    age = queries.seconds_since(SWEEPER)
    if age is None:
        return Part("degraded", {"last_run": "never"})
    metrics.heartbeat_age.labels(SWEEPER).set(age)
    return Part(
        "ok" if age <= SWEEPER_LATE_SECONDS else "degraded", {"seconds_since_last_run": round(age, 1)}
    )


def check_trail() -> Part:
    """Look at the last daily walk over the audit trail: done within a day, and without a bad row."""
    found = queries.last_round(TRAIL)
    if found is None:
        return Part("degraded", {"last_verified": "never"})
    age, detail = found
    holds = bool(detail.get("holds"))
    metrics.heartbeat_age.labels(TRAIL).set(age)
    metrics.trail_holds.set(holds)
    if not holds:
        return Part("down", {"reason": detail.get("reason", ""), "link": detail.get("link")})
    state = "ok" if age <= TRAIL_LATE_SECONDS else "degraded"
    return Part(state, {"hours_since_verified": round(age / 3600, 1)})


def check_redis() -> Part:
    """Ask Redis."""
    with _redis() as client:
        client.ping()
    return Part("ok")


def check_queue() -> Part:
    """Count the Celery messages that wait."""
    try:
        with _redis() as client:
            waiting = int(client.llen(QUEUE))  # type: ignore[arg-type]
    except RedisError:
        return Part("degraded", {"waiting": "unknown"})
    metrics.queue_length.set(waiting)
    return Part("ok" if waiting < QUEUE_LONG else "degraded", {"waiting": waiting})


def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


CHECKS: dict[str, Callable[[], Part]] = {
    "database": check_database,
    "keys": check_keys,
    "migrations": check_migrations,
    "redis": check_redis,
    "sweeper": check_sweeper,
    "trail": check_trail,
    "queue": check_queue,
    "months": check_months,
}
