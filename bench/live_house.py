"""The live bench's house and servers: stores, counselors on shift, and uvicorn as compose starts it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA_DIR = ROOT / ".cortex" / "bench-live-desk"
CHILDREN = str(ROOT / "bench" / "live_children.py")
sys.path.insert(0, str(ROOT))
from bench.bench_board import free_port  # noqa: E402

TABLES = """
    DROP TABLE IF EXISTS bench_feed, bench_event;
    CREATE TABLE bench_feed (organization uuid PRIMARY KEY, n bigint);
    CREATE TABLE bench_event (organization uuid, n bigint, body text, PRIMARY KEY (organization, n));
    GRANT SELECT, INSERT, UPDATE ON bench_feed, bench_event TO cortex_app, cortex_system;
"""


def environment(role: str) -> dict[str, str]:
    """Return the environment of a child on the bench's own stores."""
    from cortex.ops.embedded import addresses

    extra = {
        "DJANGO_SETTINGS_MODULE": "cortex.settings.dev",
        "CORTEX_MFA_REQUIRED_ROLES": "none",
        "CORTEX_DATA_DIR": str(DATA_DIR),
        "CORTEX_DB_ROLE": role,
        "PYTHONPATH": str(ROOT),
    }
    pool = {"CORTEX_DB_POOL": "14"} if role == "app" else {}
    return {**os.environ, **addresses(DATA_DIR), **extra, **pool}


def child(*arguments: str, role: str) -> str:
    """Run a child to its end and return what it printed."""
    with (DATA_DIR / "children.log").open("a") as log:
        ran = subprocess.run(
            [sys.executable, *arguments], env=environment(role), cwd=ROOT, check=True,
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    return ran.stdout


def superuser(sql: str, values: dict[str, Any] | None = None) -> Any:
    """Run statements of the bench's own; return the first row of an answer."""
    import psycopg

    from cortex.ops.embedded import superuser_address

    address = superuser_address(DATA_DIR, "main", "cortex")
    with psycopg.connect(address, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        answer = connection.execute(sql, values)
        return answer.fetchone() if answer.description else None


def build(people: int) -> dict[str, Any]:
    """Build the house where there is none, put counselors on shift, and return their sessions."""
    child("manage.py", "collectstatic", "--noinput", "-v", "0", role="system")
    built = DATA_DIR / "built"
    if not built.exists():
        for alias in ("default", "keys"):
            child("manage.py", "migrate", "--skip-checks", "-v", "0", "--database", alias, role="owner")
        size = ["--patients", "400", "--open", "40", "--organizations", "2", "--processes", "1"]
        child("manage.py", "synth", *size, role="system")
        built.touch()
    superuser(TABLES)
    return dict(json.loads(child(CHILDREN, "prepare", str(people), role="system").splitlines()[-1]))


class Servers:
    """The web processes of one run."""

    def __init__(self, count: int) -> None:
        self.ports = [free_port() for _ in range(count)]
        self.log = (DATA_DIR / "server.log").open("a")
        self.processes = [
            subprocess.Popen(
                command(port), env=environment("app"), cwd=ROOT, stdout=self.log, stderr=self.log
            )
            for port in self.ports
        ]

    def wait(self) -> None:
        """Wait until all of them listen."""
        for port in self.ports:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise SystemExit(f"a server didn't start: see {self.log.name}")

    def cpu(self) -> float:
        """Return the processor seconds of all of them."""
        import psutil

        return sum(sum(psutil.Process(one.pid).cpu_times()[:2]) for one in self.processes)

    def stop(self) -> None:
        """End them; one that still closes its sockets after a while is killed."""
        for one in self.processes:
            one.terminate()
        for one in self.processes:
            try:
                one.wait(5)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self.log.close()


def command(port: int) -> list[str]:
    """Return uvicorn's command for one container of sockets, as compose has it."""
    return [
        sys.executable, "-m", "uvicorn", "--factory", "bench.live_children:application", f"--port={port}",
        "--no-access-log", "--log-level=warning", "--no-server-header", "--no-proxy-headers",
        "--ws-max-size=65536", "--ws-per-message-deflate=false", "--timeout-graceful-shutdown=1",
    ]  # fmt: skip
