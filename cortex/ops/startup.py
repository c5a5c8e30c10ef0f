"""What `up` does before and after its children: lock, port, leftovers, stores, migrations, sign-ins."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from cortex.audit import SYSTEM
from cortex.ops import actions, health, queries
from cortex.ops.local_secrets import write_private
from cortex.ops.processes import StartRefused, is_running, wait_until
from cortex.ops.staticfiles import StaticFiles
from cortex.ops.tasks import DAYS_AHEAD

LOCK = "up.lock"
STATE = "up.json"
STATIC_STAMP = "static.stamp"


def take_lock(data_dir: Path) -> IO[str]:
    """Hold this folder for one `up`; raise StartRefused with the other's process and address."""
    handle = (data_dir / LOCK).open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        state = read_state(data_dir)
        handle.close()
        raise StartRefused(
            f"Cortex already runs in this folder (process {state.get('pid', 'unknown')}, "
            f"{state.get('address', 'still starting')}). Stop it first, or use another CORTEX_DATA_DIR."
        ) from None
    return handle


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts; raise StartRefused with the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartRefused(_port_reason(error, host, port)) from error
    listener.set_inheritable(False)
    return listener


def _port_reason(error: OSError | OverflowError, host: str, port: int) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: choose another one with --port."
    if number == errno.EACCES:
        return f"No permission to use port {port}: choose one above 1023 with --port."
    if isinstance(error, OverflowError):
        return f"Port {port} doesn't exist: choose one from 1 to 65535 with --port."
    return f"The address {host} can't be used here: choose another one with --host."


def read_state(data_dir: Path) -> dict[str, Any]:
    """Return what the last `up` wrote about itself, or nothing."""
    try:
        state = json.loads((data_dir / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(data_dir: Path, address: str, pids: dict[str, int]) -> None:
    """Keep our processes' ids with their start times, so that the next start recognises leftovers."""
    children = {name: [pid, start_time(pid)] for name, pid in pids.items()}
    state = {"pid": os.getpid(), "address": address, "children": children}
    write_private(data_dir / STATE, json.dumps(state) + "\n")


def start_time(pid: int) -> str:
    """Return the kernel's start time of a process: with the id it names one process for ever."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def end_leftovers(data_dir: Path) -> list[str]:
    """End children that outlived a killed `up`; return their names."""
    ended = []
    for name, (pid, begun) in read_state(data_dir).get("children", {}).items():
        if not begun or not is_running(pid) or start_time(pid) != begun:
            continue
        os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda pid=pid: not is_running(pid), 2.0):  # type: ignore[misc]
            os.kill(pid, signal.SIGKILL)
        ended.append(name)
    return ended


def migrate() -> list[str]:
    """Apply what is missing, in this process; return the aliases that needed it."""
    touched = []
    for alias in ("default", "keys"):
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
            touched.append(alias)
    return touched


def months_ahead() -> int:
    """Make missing months now: a machine that sleeps at night misses the nightly task."""
    today = datetime.now(UTC).date()
    return actions.make_months(actor=SYSTEM, since=today, until=today + timedelta(days=DAYS_AHEAD))


def missing_backups() -> list[str]:
    """Return a warning for each kind of backup that was never taken, to be said until there is one."""
    commands = {"main": "backup", "keys": "keys backup"}
    return [
        f"WARNING: there is no backup of the {kind} database: manage.py {commands[kind]} --to FOLDER"
        for kind, name in health.BACKUPS.items()
        if queries.seconds_since(name) is None
    ]


def collect_static(data_dir: Path) -> bool:
    """Give static files their hashed names when one of them changed; return whether that was needed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(StaticFiles.ignore_patterns):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    stamp = data_dir / STATIC_STAMP
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return False
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest.hexdigest())
    return True


def answers(host: str, port: int, seconds: float = 0.25) -> bool:
    """Whether the web process answers its health page."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    client = HTTPConnection(local, port, timeout=seconds)
    try:
        client.request("GET", "/healthz", headers={"Host": "localhost"})
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()


def stopwatch() -> float:
    """Return seconds since this process began (Linux), so that imports count too."""
    try:
        ticks = int(start_time(os.getpid())) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks
    except (ValueError, AttributeError):
        return time.process_time()
