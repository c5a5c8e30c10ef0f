"""Web, sweeper and worker as real processes on this run's databases, with a Redis of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import stores
from tests.faults.nemesis.house import answers
from tests.live.stage import PrivateRedis, wait_until

WEB = ["-m", "uvicorn", "cortex.asgi:application", "--log-level", "error", "--lifespan", "off",
       "--ws-per-message-deflate", "false"]  # fmt: skip
WORKER = ["-m", "celery", "-A", "cortex.celery", "worker", "--pool=solo", "--loglevel=ERROR",
          "--without-gossip", "--without-mingle"]  # fmt: skip


@dataclass
class Program:
    """One process with its log."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a session of its own."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], env=self.environment, cwd=stores.ROOT,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill -9 it with whatever it forked."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class System:
    """The children over the stores of the test run."""

    folder: Path
    redis: PrivateRedis
    port: int = field(default_factory=stores.free_port)
    children: dict[str, Program] = field(default_factory=dict)
    # What its environment says else, and who is started.
    given: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ("web", "sweeper", "worker")

    def start(self) -> None:
        """Start Redis and the children; return when pages are answered."""
        if self.redis.process is None:
            self.redis.start()
        base = stores.child_environment() | {"REDIS_URL": self.redis.url} | self.given
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
        subprocess.run(collect, env=base, cwd=stores.ROOT, check=True)  # cards name hashed files
        plans = {
            "web": ("app", [*WEB, "--port", str(self.port)]),
            "sweeper": ("system", ["manage.py", "sweep"]),
            "worker": ("system", WORKER),
        }
        for name in self.names:
            role, command = plans[name]
            # The web has a pool, as `up` gives it: a thread per request would use up the key store's places.
            own = {"CORTEX_DB_ROLE": role, "CORTEX_DB_POOL": "8" if name == "web" else "0"}
            self.children[name] = Program(command, base | own, self.folder / f"{name}.log")
            self.children[name].start()
        wait_until(lambda: answers(self.origin), 120)

    @property
    def origin(self) -> str:
        """The address of the pages."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End everything that was started here."""
        for child in self.children.values():
            child.kill()
        self.redis.kill()
