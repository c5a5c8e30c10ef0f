"""What each child of `up` does after the fork: web, worker, beat, sweeper, watchdog, demo, simulator."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from cortex.ops import warming
from cortex.settings.env import Environment, role_databases

# More than the nine threads of the live hub, or pages would wait for them.
WEB_POOL = 14
SOCKET_MESSAGE_BYTES = 64 * 1024
# A line that a network lost without a word is found within forty seconds.
SOCKET_PING_SECONDS = 20.0


@dataclass(frozen=True)
class Child:
    """A name for the log, the database role, and what to run."""

    name: str
    role: str
    run: Callable[[], int]
    pool: int = 0
    once: bool = False


def put_on_role(role: str, pool: int) -> None:
    """Point this process's databases at another role's addresses; call it before any connection is open."""
    os.environ["CORTEX_DB_ROLE"] = role
    for alias, database in role_databases(Environment(), role, pool=pool).items():
        connections.databases[alias].update(database)
        del connections[alias]


def web(listener: socket.socket) -> Child:
    """Serve pages and sockets on a listening socket that the parent keeps across restarts."""

    def run() -> int:
        import uvicorn

        warming.go_on()
        config = uvicorn.Config(
            "cortex.asgi:application",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws_max_size=SOCKET_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=SOCKET_PING_SECONDS,
            ws_ping_timeout=SOCKET_PING_SECONDS,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])
        return 0

    return Child("web", "app", run, pool=WEB_POOL)


def worker() -> Child:
    """Run Celery tasks in one process beside the consumer, so that time limits hold."""

    def run() -> int:
        from celery.platforms import SecurityWarning

        from cortex.celery import app

        # It fears pickled tasks run by root; ours are JSON, and the machine is a developer's.
        warnings.simplefilter("ignore", SecurityWarning)
        options = ["--pool=prefork", "--concurrency=1", "--loglevel=INFO", "--hostname=worker@cortex"]
        lean = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        app.worker_main(["--quiet", "worker", *options, *lean])
        return 0

    return Child("worker", "system", run)


def beat(data_dir: Path) -> Child:
    """Send scheduled tasks; the last times are kept in a file, so that a missed night is caught up."""

    def run() -> int:
        from cortex.celery import app

        app.Beat(schedule=str(data_dir / "beat-schedule"), loglevel="INFO", quiet=True).run()
        return 0

    return Child("beat", "system", run)


def command(name: str, *arguments: str, child: str, once: bool = False) -> Child:
    """Run a management command as the system role."""

    def run() -> int:
        call_command(name, *arguments)
        return 0

    return Child(child, "system", run, once=once)


def warm_up() -> None:
    """Import in the parent what every child needs: it is read once and its memory is shared.

    `cortex.asgi` comes last: it warms up, and the collector then passes by all of it, so that the children
    go on sharing.
    """
    import importlib

    warming.forks()
    for module in ("cortex.celery", settings.ROOT_URLCONF, "uvicorn", "celery.apps.worker", "cortex.asgi"):
        importlib.import_module(module)
