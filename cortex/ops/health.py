"""Whether this process can serve, part by part, with the reason when it can't; no page is made here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis, RedisError

from cortex.keys.queries import prove_keys
from cortex.ops import metrics, nomail, queries
from cortex.ops.disk import used_share
from cortex.ops.letters.models import LetterKind
from cortex.ops.letters.queries import open_counts
from cortex.ops.postgres.base import answer_within
from cortex.ops.slots.queries import late_slots
from cortex.ops.watched import WATCHDOG, late_after

SWEEPER, BEAT = "sweeper", "beat"
# After how many seconds without a round a machine counts as standing. A slow pager may hold up deliveries.
MACHINES = {
    SWEEPER: 15.0, "chores": 60.0, "trail": 30.0, "mails": 120.0, "pagers": 120.0, "account mails": 120.0,
    "timetable": 180.0,
}  # fmt: skip
# The daily walk over the trail may be two hours late.
VERIFIED = "trail verified"
VERIFIED_LATE_SECONDS = 26 * 3600.0
# The last finished backup of each kind, and the last one that was put back to prove it.
BACKUPS = {"main": "main backup", "keys": "keys backup"}
DRILLED = "restore drill"
# Daily, and two hours late at most; a drill monthly, with five days of grace.
BACKUP_LATE_SECONDS = 26 * 3600.0
DRILL_LATE_SECONDS = 35 * 86400.0
# Beat puts its sign of life into the queue once a minute and a worker writes it: what is missing is the lag.
BEAT_EVERY = 60.0
QUEUE_LATE = 120.0
QUEUE_LONG = 1000
QUEUE = "celery"
PARTITIONED = "ops_telemetryevent"
# What was given up waits here for a person; nothing else waits for it.
LETTERS = "dead letters"
# A slot of the timetable that nobody did for so long: neither beat nor the sweeper reaches a worker.
SLOT_LATE = 1800.0
# From here on somebody must make room: PostgreSQL ends altogether when its log finds none.
FULL_SHARE = 0.8
# Without these nothing can be served. The others fail softly: taking the pages out of service because the
# sweeper stands or Redis is gone would only add to the harm, so they show as degraded and as metrics.
ESSENTIAL = ("database", "keys", "migrations")
# A database that stands still must not hold up the answer that says so.
ANSWER_SECONDS = 2.0


@dataclass
class Part:
    """One part's state: ok, degraded or down, with codes and numbers."""

    state: str
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the answer shows."""
        return {"state": self.state, **self.detail}


def readiness() -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the whole report; what rests on a dead database isn't asked one by one."""
    parts: dict[str, Part] = {}
    with answer_within(ANSWER_SECONDS):
        for name, check in CHECKS.items():
            begun = time.perf_counter()
            blind = name not in WITHOUT_DATABASE and parts["database"].state == "down"
            parts[name] = Part("down", {"error": "database"}) if blind else _ask(check)
            parts[name].detail["milliseconds"] = round((time.perf_counter() - begun) * 1000, 1)
    _show(parts)
    down = [name for name in ESSENTIAL if parts[name].state == "down"]
    degraded = [name for name, part in parts.items() if part.state != "ok"]
    state = "not ready" if down else "degraded" if degraded else "ready"
    body = {"status": state, "parts": {name: part.as_json() for name, part in parts.items()}}
    return (503 if down else 200), body


def _ask(check: Callable[[], Part]) -> Part:
    try:
        return check()
    except Exception as error:
        return Part("down", {"error": type(error).__name__})


def _show(parts: dict[str, Part]) -> None:
    """Put the report into the figures; what nobody could say is no number, never the last one known."""
    for name, part in parts.items():
        metrics.ready.labels(name).set(part.state == "ok")
    for name in MACHINES:
        metrics.heartbeat_age.labels(name).set(parts[name].detail.get("seconds_since_last_run", nan))
    for name in (*BACKUPS.values(), DRILLED, WATCHDOG):
        metrics.heartbeat_age.labels(name).set(parts[name].detail.get("age_seconds", nan))
    metrics.heartbeat_age.labels(BEAT).set(parts["queue"].detail.get("seconds_since_beat", nan))
    for kind in LetterKind.values:
        metrics.dead_letters.labels(kind).set(parts[LETTERS].detail.get(kind, nan))
    metrics.late_slots.set(parts["slots"].detail.get("late", nan))
    metrics.queue_length.set(parts["queue"].detail.get("waiting", nan))


def check_database() -> Part:
    """Ask the main database."""
    queries.answers("default")
    return Part("ok")


_opened: set[str] = set()


def check_keys() -> Part:
    """Unwrap a stored key, past the cache: the database answers, and the master key is the one that it needs.

    A process that never could has the wrong key and serves nobody. One that could goes on while the keys are
    away: alerts are raised and shown without them.
    """
    try:
        prove_keys()
    except Exception as error:
        return Part("degraded" if _opened else "down", {"error": type(error).__name__})
    _opened.add("keys")
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


def check_machine(name: str) -> Part:
    """Look at a machine's last round."""
    age = queries.seconds_since(name)
    if age is None:
        return Part("degraded", {"last_run": "never"})
    state = "ok" if age <= MACHINES[name] else "degraded"
    return Part(state, {"seconds_since_last_run": round(age, 1)})


def check_trail() -> Part:
    """Look at the last daily walk over the audit trail: done within a day, and without a bad row."""
    found = queries.last_round(VERIFIED)
    if found is None:
        return Part("degraded", {"last_verified": "never"})
    age, detail = found
    holds = bool(detail.get("holds"))
    metrics.heartbeat_age.labels(VERIFIED).set(age)
    metrics.trail_holds.set(holds)
    if not holds:
        return Part("down", {"reason": detail.get("reason", ""), "link": detail.get("link")})
    state = "ok" if age <= VERIFIED_LATE_SECONDS else "degraded"
    return Part(state, {"hours_since_verified": round(age / 3600, 1)})


def check_watchdog() -> Part:
    """Look at the watchdog's last verdict: whether it holds, and whether it came in time."""
    found = queries.last_round(WATCHDOG)
    age, detail = found or (nan, {})
    holds = found is not None and detail.get("holds") is True
    metrics.watchdog_holds.set(holds)
    metrics.overdue_alerts.set(_number(detail.get("overdue")))
    metrics.canary_seconds.set(_number(detail.get("canary_ms")) / 1000)
    if found is None:
        return Part("degraded", {"last_run": "never", "codes": ["not_watched"]})
    is_late = age > late_after()
    codes = [*detail.get("codes", []), *(["late"] if is_late else [])]
    shown = {"age_seconds": round(age, 1), "codes": codes, "canary_ms": detail.get("canary_ms")}
    return Part("ok" if holds and not is_late else "degraded", shown)


def _number(value: Any) -> float:
    """Return a figure; what nobody could say is no number."""
    return nan if value is None else float(value)


def check_backup(name: str, late: float) -> Part:
    """Look at the last backup of a kind, or at the last drill: how old, and whether it held."""
    found = queries.last_round(name)
    if found is None:
        return Part("degraded", {"last_run": "never"})
    age, detail = found
    is_well = age <= late and detail.get("holds", True)
    return Part("ok" if is_well else "degraded", {"age_seconds": round(age, 1)})


def check_keys_database() -> Part:
    """Ask the keys' own database, whatever the master key says."""
    queries.answers("keys")
    return Part("ok")


def check_redis() -> Part:
    """Ask Redis, and how much of its memory is used: at its limit it answers, and refuses every write."""
    with _redis() as client:
        memory: Any = client.info("memory")
    used, most = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
    share = used / most if most else 0.0
    return Part("degraded" if share >= FULL_SHARE else "ok", {"used_percent": round(100 * share)})


def check_disks() -> Part:
    """Look how full the disk of each folder is that this process knows; one that is away can't be asked."""
    shares = {name: _share(Path(folder)) for name, folder in known_folders().items()}
    for name, share in shares.items():
        metrics.disk_used.labels(name).set(nan if share is None else share)
    is_short = any(share is None or share >= FULL_SHARE for share in shares.values())
    shown = {name: None if share is None else round(100 * share) for name, share in shares.items()}
    return Part("degraded" if is_short else "ok", {"used_percent": shown})


def check_mail() -> Part:
    """Say whether mails can leave: without a server invitations and password links wait."""
    return Part("degraded", {"server": "none"}) if nomail.is_off() else Part("ok")


def known_folders() -> dict[str, str]:
    """Return the folders whose disks must not fill up, by the names under which they are shown."""
    named = settings.CORTEX_WATCHED_FOLDERS
    return {
        "data": str(settings.CORTEX_DATA_DIR),
        "anchors": str(Path(settings.CORTEX_AUDIT_ANCHOR_FILE).parent),
        **{f"watched {place}": folder for place, folder in enumerate(named, start=1)},
    }


def _share(folder: Path) -> float | None:
    try:
        return used_share(folder)
    except OSError:
        return None


def check_queue() -> Part:
    """Count the Celery messages that wait, and see how late the last sign of life came through them."""
    detail: dict[str, Any] = {}
    age = queries.seconds_since(BEAT)
    if age is not None:
        lag = max(0.0, age - BEAT_EVERY)
        detail = {"seconds_since_beat": round(age, 1), "lag_seconds": round(lag, 1)}
    is_late = age is None or age > QUEUE_LATE
    try:
        detail["waiting"] = queue_length()
    except RedisError:
        return Part("degraded", detail)
    return Part("degraded" if is_late or detail["waiting"] >= QUEUE_LONG else "ok", detail)


def check_letters() -> Part:
    """Count the dead letters that nobody has decided about."""
    counts = open_counts()
    return Part("degraded" if any(counts.values()) else "ok", dict(counts))


def check_slots() -> Part:
    """Count the slots of the timetable that are undone long after their time."""
    late, oldest = late_slots(SLOT_LATE)
    return Part("degraded" if late else "ok", {"late": late, "oldest_seconds": round(oldest, 1)})


def queue_length() -> int:
    """Return how many Celery messages wait for a worker; raise RedisError when Redis can't say."""
    with _redis() as client:
        return int(client.llen(QUEUE))  # type: ignore[arg-type]


def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


CHECKS: dict[str, Callable[[], Part]] = {
    "database": check_database,
    "keys": check_keys,
    "keys database": check_keys_database,
    "migrations": check_migrations,
    "redis": check_redis,
    "disks": check_disks,
    "mail": check_mail,
    **{name: partial(check_machine, name) for name in MACHINES},
    WATCHDOG: check_watchdog,
    "audit": check_trail,
    "queue": check_queue,
    "months": check_months,
    "slots": check_slots,
    LETTERS: check_letters,
    **{name: partial(check_backup, name, BACKUP_LATE_SECONDS) for name in BACKUPS.values()},
    DRILLED: partial(check_backup, DRILLED, DRILL_LATE_SECONDS),
}
WITHOUT_DATABASE = {"database", "keys", "keys database", "redis", "disks", "mail"}


def register(name: str, check: Callable[[], Part]) -> None:
    """Add a part that a floor above knows and that needs no database; it degrades, it never takes out."""
    CHECKS[name] = check
    WITHOUT_DATABASE.add(name)
