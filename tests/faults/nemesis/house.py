"""The system in real processes over stores of its own: two of whatever may stand twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg
import redis

from cortex.ops.embedded import DATABASE, KEYS_DATABASE, EmbeddedStores, addresses, superuser_address
from cortex.ops.embedded_postgres import Cluster
from cortex.ops.embedded_redis import RedisServer
from cortex.ops.processes import wait_until
from tests.faults.nemesis.ledger import Ledger
from tests.stores import ROOT, free_port

DATABASES = {"main": DATABASE, "keys": KEYS_DATABASE}
NAMES = ("web-1", "web-2", "sweeper-1", "sweeper-2", "worker", "beat-1", "beat-2")


class Nursery:
    """The process that forks the others (nursery.py): who was started by it is waited for by it."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        environment = os.environ | addresses(folder) | {"PYTHONPATH": str(ROOT), "CORTEX_DB_ROLE": "system"}
        command = [sys.executable, "-m", "tests.faults.nemesis.nursery", str(folder), *map(str, ports)]
        pipe = subprocess.PIPE
        with (folder / "nursery.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=log, text=True
            )

    def ask(self, **order: object) -> int:
        """Give an order and return the answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stop(self) -> None:
        """End it, and with it whoever it started."""
        self.process.kill()
        self.process.wait()


@dataclass
class Part:
    """One process that is killed without a word and started again; with it goes whatever it forked."""

    name: str
    log: Path
    nursery: Nursery = field(repr=False)
    pid: int = 0

    def start(self) -> None:
        """Start it, in a session of its own."""
        self.pid = self.nursery.ask(start=self.name)

    def kill(self) -> tuple[int, int]:
        """Kill -9 it with all that it forked; return its id and its exit status."""
        end(family(self.pid))
        return self.pid, self.nursery.ask(wait=self.pid)


@dataclass
class Store:
    """A store of the data folder, as `up` runs it."""

    name: str
    log: Path
    server: Cluster | RedisServer

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.server.process is not None
        return self.server.process.pid

    def start(self) -> None:
        """Start it again, as often as that takes: a killed one's backends hold its memory for a while."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            self.server.start()
            wait_until(lambda: self.server.is_ready() or self.server.has_ended(), 30)
            if self.server.is_ready():
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} did not come back: {self.server.last_words()}")

    def kill(self) -> tuple[int, int]:
        """Kill -9 it with all that it forked; return its id and its exit status."""
        process = self.server.process
        assert process is not None
        end(family(process.pid))
        return process.pid, process.wait(10)


class House:
    """Stores, two web processes, two sweepers, two beats and a worker; what is killed is started by hand."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder, self.ledger = folder, ledger
        self.stores = EmbeddedStores(folder)
        self.ports = [free_port(), free_port()]
        self.parts: dict[str, Part | Store] = {}
        self.nursery: Nursery | None = None

    @property
    def origins(self) -> list[str]:
        """The addresses of the web processes."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def start_stores(self) -> None:
        """Start PostgreSQL twice (people, keys) and Redis; their files survive a killed process."""
        self.stores.start()
        assert self.stores.redis is not None
        clusters, home = self.stores.clusters, self.stores.home
        self.parts["redis"] = Store("redis", home / "redis.log", self.stores.redis)
        self.parts["postgres"] = Store("postgres", clusters["main"].log, clusters["main"])
        self.parts["keys"] = Store("keys", clusters["keys"].log, clusters["keys"])

    def start(self) -> None:
        """Start every process over the stores and wait until both web processes answer."""
        self.nursery = Nursery(self.folder, self.ports)
        for name in NAMES:
            self.parts[name] = Part(name, self.folder / f"{name}.log", self.nursery)
            self.parts[name].start()
        for origin in self.origins:
            assert wait_until(lambda origin=origin: answers(origin), 30), f"{origin} never answered"

    def stop(self) -> None:
        """End everything that this house started."""
        for part in self.parts.values():
            if isinstance(part, Part) and part.pid:
                end(family(part.pid))
        if self.nursery is not None:
            self.nursery.stop()
        self.stores.stop()

    def pause(self, name: str) -> list[psutil.Process]:
        """Stop a part in the middle of whatever it does; return who is to go on again."""
        members = family(self.parts[name].pid)
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.suspend()
        return members

    def redis(self) -> redis.Redis:
        """A connection of the nemesis's own to Redis."""
        return redis.Redis.from_url(addresses(self.folder)["REDIS_URL"], socket_timeout=10)

    def books(self, cluster: str = "main") -> psycopg.Connection:
        """What the database holds, read past every layer of ours."""
        address = superuser_address(self.folder, cluster, DATABASES[cluster])
        return psycopg.connect(address, autocommit=True, connect_timeout=2)

    def writes(self, cluster: str) -> bool:
        """Whether a transaction that needs a number gets one."""
        with suppress(psycopg.Error), self.books(cluster) as books:
            return books.execute("SELECT pg_current_xact_id() IS NOT NULL").fetchone() == (True,)
        return False

    def last_words(self) -> Iterator[str]:
        """The end of each log, for a run that failed."""
        logs = [part.log for part in self.parts.values()] + [self.folder / "nursery.log"]
        for log in logs:
            text = log.read_text(errors="replace")[-1500:] if log.exists() else ""
            yield f"{log.stem}: {text}"


def family(pid: int) -> list[psutil.Process]:
    """A process and its children, the parent first."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(members: list[psutil.Process]) -> None:
    """Kill -9 a family, the parent first, so that it starts nobody anew."""
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGKILL)


def answers(origin: str) -> bool:
    """Whether a web process is alive."""
    with suppress(httpx.HTTPError):
        return httpx.get(f"{origin}/healthz", timeout=2).status_code == 200
    return False


def until(done: Callable[[], bool], seconds: float, why: str) -> None:
    """Wait, or fail with the reason."""
    assert wait_until(done, seconds, step=0.25), why
