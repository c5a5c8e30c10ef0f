"""The proof of a backup: put back into a scratch cluster, compared, timed, thrown away; no Django here."""

from __future__ import annotations

import fcntl
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cortex.audit.publickeys import Keys
from cortex.ops import embedded_postgres
from cortex.ops.backups import facts, manifest, restoring
from cortex.ops.backups.folders import MAIN, BackupRefused
from cortex.ops.backups.manifest import Manifest
from cortex.ops.backups.tools import Server
from cortex.ops.disk import free_bytes
from cortex.ops.embedded import DATABASE, SQL, places
from cortex.ops.embedded_postgres import SUPERUSER, Cluster
from cortex.ops.processes import store_user

ROLES = ("owner", "app", "system")
# A fresh cluster with its write-ahead log, beside the database itself.
CLUSTER_BYTES = 400 << 20


class DrillRuns(BackupRefused):
    """Another drill is at it: this says nothing about the backup."""


@dataclass(frozen=True)
class Drill:
    """What a drill found: seconds by step, what differed, and what a restore now would lose."""

    told: Manifest
    seconds: dict[str, float]
    differences: list[str]
    newest_live: datetime | None
    missing_rows: int
    age_seconds: float

    @property
    def rto_seconds(self) -> float:
        """How long it took from the backup's files to a compared database."""
        return sum(self.seconds.values())

    @property
    def rpo_seconds(self) -> float:
        """From the backup's snapshot to the newest committed row that isn't in it; 0 without one."""
        if self.newest_live is None:
            return 0.0
        return max(0.0, (self.newest_live - self.told.taken_at).total_seconds())


def run(folder: Path, live: Server, key: bytes, data_dir: Path, keys: Keys) -> Drill:
    """Restore one backup into a scratch cluster and compare it; `live` is asked what came since.

    Raise BackupRefused or Forged when it can't be put back; differences come in the answer.
    """
    watch = _Watch()
    told = manifest.prove(folder, MAIN, key)
    watch.lap("prove")
    with scratch(data_dir, told) as (owner, reader):
        watch.lap("cluster")
        restoring.restore(folder, told, owner, key)
        watch.lap("restore")
        wrong = restoring.differences(told, reader, keys)
        watch.lap("compare")
    with live.connection() as connection:
        newest, now = facts.newest_row(connection), facts.counts(connection)
    missing = sum(max(0, rows - told.facts.tables.get(name, 0)) for name, rows in now.items())
    age = (datetime.now(UTC) - told.taken_at).total_seconds()
    return Drill(told, watch.seconds, wrong, newest, missing, age)


@contextmanager
def scratch(data_dir: Path, told: Manifest) -> Iterator[tuple[Server, Server]]:
    """Run an empty cluster of our own for a while and give (its owner, its superuser)."""
    user = store_user()
    home, _ = places(data_dir.resolve(), user)
    user.own(home)
    with (home / "drill.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DrillRuns("Another drill runs with this data folder.") from None
        folder = home / "drill"
        _clear(folder)
        needed = told.facts.database_bytes * 2 + CLUSTER_BYTES
        if free_bytes(home) < needed:
            raise BackupRefused(f"The disk of {home} is too full for a drill: {needed >> 20} MB are needed.")
        password = secrets.token_urlsafe(24)
        install = embedded_postgres.installation(user, home / "programs")
        # A data folder's own path may be too long for a socket.
        sockets = user.own(Path(tempfile.mkdtemp(prefix="cortex-drill-")))
        cluster = Cluster("main", user.own(folder), sockets, install, user, password, durable=False)
        try:
            cluster.make()
            cluster.start()
            cluster.wait_ready()
            cluster.create_roles(SQL / "roles.sql", {f"cortex_{role}": password for role in ROLES})
            cluster.create_database(DATABASE, "cortex_owner", SQL / "database.sql")
            place = {"host": str(sockets), "port": str(cluster.port), "dbname": DATABASE}
            owner, reader = ({"user": "cortex_owner"}, {"user": SUPERUSER})
            yield Server(place | owner, password), Server(place | reader, password)
        finally:
            cluster.stop()
            _clear(folder, sockets)


def _clear(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)


class _Watch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self._last = now - self._last, now
