"""Two PostgreSQL clusters, one following the other as docs/deploy/replica.md says; and their load."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from cortex.ops.embedded_postgres import SUPERUSER, Cluster, installation
from cortex.ops.processes import may_enter, store_user, wait_until
from tests.stores import ROOT

STANDBY = "cortex_standby"
# What docs/deploy/replica.md asks of both servers; the embedded ones are made for one alone.
SETTINGS = {
    "wal_level": "replica", "max_wal_senders": "5", "max_replication_slots": "5", "hot_standby": "on",
    "synchronous_commit": "on", "wal_sender_timeout": "10s", "wal_receiver_timeout": "10s",
}  # fmt: skip
TABLES = """
    CREATE TABLE alert (id uuid PRIMARY KEY, organization int NOT NULL);
    CREATE TABLE feed (organization int PRIMARY KEY, n bigint NOT NULL);
    CREATE TABLE event (organization int, n bigint, alert uuid NOT NULL, PRIMARY KEY (organization, n));
    INSERT INTO feed VALUES (0, 0), (1, 0);
"""
WRITERS = 4


@dataclass
class Pair:
    """A primary and its standby in one temporary folder."""

    folder: Path
    primary: Cluster
    standby: Cluster
    writers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def where(self) -> Path:
        """The file that says where the writers write now."""
        return self.folder / "where"

    def ask(self, cluster: Cluster, question: str) -> Any:
        """Ask a server one thing, as its superuser and without a transaction."""
        address = cluster.address(SUPERUSER, cluster.password, "postgres")
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(question).fetchone()
        return None if row is None else row[0]

    def tell(self, cluster: Cluster, *statements: str) -> None:
        """Have a server do something, as its superuser."""
        address = cluster.address(SUPERUSER, cluster.password, "postgres")
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement)

    def be_synchronous(self, names: str = STANDBY) -> None:
        """Let the primary answer no commit before the standby has it on its disk (or no longer)."""
        setting = sql.Literal(names).as_string(None)
        self.tell(
            self.primary, f"ALTER SYSTEM SET synchronous_standby_names = {setting}", "SELECT pg_reload_conf()"
        )
        state = "SELECT coalesce(max(sync_state), '') FROM pg_stat_replication"
        if names:
            assert wait_until(lambda: self.ask(self.primary, state) == "sync", 60), "the standby never came"

    def load(self) -> None:
        """Start the writers."""
        self.where.write_text(self.primary.address(SUPERUSER, self.primary.password, "postgres"))
        for number in range(WRITERS):
            command = [sys.executable, str(ROOT / "tests/faults/replica_writer.py"), str(self.where),
                       str(self.folder / f"acknowledged-{number}"), str(number)]  # fmt: skip
            self.writers.append(subprocess.Popen(command, start_new_session=True))

    def acknowledged(self) -> dict[str, float]:
        """Return every id whose writer was told that it is safe, with the time of it."""
        lines = [
            line for path in self.folder.glob("acknowledged-*") for line in path.read_text().splitlines()
        ]
        return {one: float(at) for one, _, at in (line.partition(" ") for line in lines)}

    def walreceiver(self) -> int:
        """Return the process of the standby that takes what the primary sends."""
        return int(self.ask(self.standby, "SELECT pid FROM pg_stat_wal_receiver"))

    def kill_primary(self) -> float:
        """Kill -9 the primary with all its backends; return when."""
        at = time.monotonic()
        assert kill_family(self.primary) == -signal.SIGKILL
        return at

    def promote(self) -> float:
        """Make the standby the primary, and send the writers there; return when they learned of it."""
        # It answers false when a loaded disk takes longer; to ask again is the same request.
        ask = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, 30) ELSE true END"
        assert wait_until(lambda: self.ask(self.standby, ask), 150), self.standby.log.read_text()[-4000:]
        at = time.monotonic()
        self.where.write_text(self.standby.address(SUPERUSER, self.standby.password, "postgres"))
        return at

    def cut_link(self, receiver: int) -> None:
        """Take what the standby was sent and has not taken yet away from it: kill -9 its receiver."""
        signal_process(receiver, signal.SIGKILL)
        # PostgreSQL then starts itself anew from what is on its disk.
        assert wait_until(lambda: not psutil.pid_exists(receiver), 60)
        assert wait_until(lambda: self.answers(self.standby), 60)

    def answers(self, cluster: Cluster) -> bool:
        """Whether a server answers now."""
        try:
            return bool(self.ask(cluster, "SELECT true"))
        except psycopg.OperationalError:
            return False

    def stop_writers(self) -> None:
        for writer in self.writers:
            writer.kill()
            writer.wait(30)
        self.writers.clear()

    def stop(self) -> None:
        """End all of it."""
        self.stop_writers()
        for cluster in (self.standby, self.primary):
            if not cluster.has_ended():
                kill_family(cluster)


@contextmanager
def pair() -> Iterator[Pair]:
    """Build a primary and a standby that follows it, by a base backup and a slot of its own."""
    user = store_user()
    with tempfile.TemporaryDirectory(prefix="cx-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        assert may_enter(user, folder), "the temporary folder must be open to the stores' user"
        install = installation(user, user.own(folder / "programs"))
        clusters = []
        for side in ("a", "b"):
            home = user.own(folder / side)
            password = secrets.token_urlsafe(12) if not clusters else clusters[0].password
            clusters.append(
                Cluster("main", home, user.own(home / "run"), install, user, password, own_settings=SETTINGS)
            )
        both = Pair(folder, *clusters)
        try:
            both.primary.make()
            both.primary.start()
            both.primary.wait_ready()
            both.tell(both.primary, *[part for part in TABLES.split(";") if part.strip()])
            follow(both)
            yield both
        finally:
            both.stop()


def follow(both: Pair) -> None:
    """Make the standby of the primary: role, slot, base backup, start; the lines of replica.md."""
    password = secrets.token_urlsafe(12)
    both.tell(both.primary, f"CREATE ROLE cortex_replica REPLICATION LOGIN PASSWORD '{password}'")
    source = (
        f"host={both.primary.sockets} port={both.primary.port} user=cortex_replica password={password} "
        f"application_name={STANDBY}"
    )
    command = [
        str(both.primary.install / "bin" / "pg_basebackup"), "--pgdata", str(both.standby.data), "--dbname",
        source, "--checkpoint=fast", "--wal-method=stream", "--create-slot", f"--slot={STANDBY}",
        "--write-recovery-conf", "--no-sync",
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(both.standby.home)}
    subprocess.run(
        command, check=True, cwd="/", env=environment, stdout=subprocess.DEVNULL,
        **both.primary.user.popen_arguments(),
    )  # fmt: skip
    both.standby.start()
    both.standby.wait_ready(30)
    streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    assert wait_until(lambda: both.ask(both.primary, streams) == 1, 60), both.standby.last_words()


@dataclass(frozen=True)
class Account:
    """What a trial found."""

    acknowledged: int
    lost: int
    gaps: int
    writable_after: float
    after: int

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.lost} lost, {self.gaps} gaps in feeds, writable after "
            f"{self.writable_after:.2f} s, {self.after} more on the new primary"
        )


def fail_over(both: Pair, before: Callable[[], None] = lambda: None, seconds: float = 0.4) -> Account:
    """Kill the primary, do `before`, promote, let the writers go on; return the account."""
    killed = both.kill_primary()
    before()
    promoted = both.promote()
    assert wait_until(lambda: max(both.acknowledged().values()) > promoted, 60), "nobody could write"
    time.sleep(seconds)
    both.stop_writers()
    acknowledged = both.acknowledged()
    with psycopg.connect(both.standby.address(SUPERUSER, both.standby.password, "postgres")) as connection:
        stored = {
            str(row[0]) for row in connection.execute("SELECT alert FROM event JOIN alert ON id = alert")
        }
        gaps = connection.execute(
            "SELECT coalesce(sum(feed.n - found.rows), 0)::int FROM feed JOIN "
            "(SELECT organization, count(*) AS rows FROM event GROUP BY 1) found USING (organization)"
        ).fetchone()
    later = sorted(at for at in acknowledged.values() if at > promoted)
    lost = len(acknowledged.keys() - stored)
    assert gaps is not None
    return Account(len(acknowledged), lost, gaps[0], later[0] - killed, len(later))


def kill_family(cluster: Cluster) -> int:
    """Kill -9 a server with whatever it forked, stopped ones too; return its exit status."""
    assert cluster.process is not None
    server = psutil.Process(cluster.process.pid)
    for member in [server, *server.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    return cluster.process.wait(60)


def process_is_stopped(pid: int) -> bool:
    """Whether a process stands still by SIGSTOP."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def signal_process(pid: int, number: int) -> None:
    """Send a signal to one process by its id."""
    os.kill(pid, number)
