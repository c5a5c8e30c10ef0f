"""PostgreSQL's own programs and an address for them: dump to a pipe, put back whole; no Django here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import psycopg
from psycopg.conninfo import make_conninfo

from cortex.ops.backups.folders import BackupRefused
from cortex.ops.embedded_postgres import bundled

# Django's own words, and limits of a page's statement: a dump takes what it takes.
NOT_LIBPQ = ("pool", "options")
LOCK_SECONDS = 10
DEFAULT_PORT = "5432"
# An empty database has something to drop, too: default privileges, which would widen what an archive grants.
PREAMBLE = f"""
SET lock_timeout = '{LOCK_SECONDS}s';
SET client_min_messages = warning;
BEGIN;
DROP OWNED BY CURRENT_USER CASCADE;
""".encode()
# Whatever can fail comes before the commit; ANALYZE warns of the catalogs, which are not the owner's.
ENDING = b"\nSET client_min_messages = error;\nANALYZE;\nCOMMIT;\n"


@dataclass(frozen=True)
class Server:
    """One database as one role: for psycopg, and for PostgreSQL's programs."""

    parameters: dict[str, str]
    password: str = field(repr=False)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Server:
        """Return the server of one of Django's database settings."""
        options = {name: value for name, value in settings["OPTIONS"].items() if name not in NOT_LIBPQ}
        place = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
        # An address may name its port among the options: an empty one beside it says nothing.
        parameters = options | {name: value for name, value in place.items() if value}
        parameters["dbname"] = settings["NAME"]
        return cls({name: str(value) for name, value in parameters.items() if value}, settings["PASSWORD"])

    @property
    def name(self) -> str:
        """The database's name."""
        return self.parameters["dbname"]

    @property
    def user(self) -> str:
        """The role's name."""
        return self.parameters["user"]

    @property
    def place(self) -> str:
        """Which database where, for a person to compare: its name, host (or socket folder) and port."""
        host = self.parameters.get("hostaddr") or self.parameters["host"]
        return f"{self.name} on {host} port {self.parameters.get('port', DEFAULT_PORT)}"

    def conninfo(self) -> str:
        """Return the address without its password: a command line is read by everybody."""
        return make_conninfo(**self.parameters)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a connection in UTC, which commits each statement by itself.

        A question that row-level security would answer with a part of the rows fails instead.
        """
        with psycopg.connect(self.conninfo(), password=self.password, autocommit=True) as connection:
            connection.execute("SET timezone = 'UTC'")
            # Somebody who changes a table right now must not hold up a backup for ever.
            connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            connection.execute("SET row_security = off")
            yield connection

    def environment(self) -> dict[str, str]:
        """Return the environment of a program that uses this server; nobody else's PG* variable in it."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return plain | {"PGPASSWORD": self.password, "LC_ALL": "C.UTF-8"}


def program(name: str, server: Server) -> str:
    """Return the path of pg_dump, pg_restore or psql that knows the server's version.

    On a local socket the one that comes with the project, else the PATH's; over the network the PATH's alone,
    since the project's build has no TLS. Raise BackupRefused when there is none.
    """
    with server.connection() as connection:
        needed = connection.info.server_version // 10_000
    own, system = bundled(name), shutil.which(name)
    is_local = server.parameters.get("host", "").startswith("/")
    found = [own, system] if is_local else [system]
    for path in filter(None, found):
        if _major(str(path)) >= needed:
            return str(path)
    raise BackupRefused(f"{name} of PostgreSQL {needed} or later is needed on the PATH.")


def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split("PostgreSQL)")[1].strip().split(".")[0])


def dump(server: Server, snapshot: str) -> Iterator[bytes]:
    """Yield the archive of a database as one snapshot sees it; raise BackupRefused when pg_dump fails.

    Never with --enable-row-security: without it pg_dump fails where it would see a part of the rows.
    """
    command = [
        program("pg_dump", server), f"--dbname={server.conninfo()}", "--no-password", "--format=custom",
        "--compress=1", f"--snapshot={snapshot}", "--exclude-extension=*", "--no-owner",
        "--no-tablespaces", f"--lock-wait-timeout={LOCK_SECONDS}s",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=server.environment()
        )
        try:
            yield from _blocks(process.stdout)
            if process.wait():
                raise BackupRefused(f"pg_dump failed: {_said(errors)}")
        finally:
            _end(process)


def put_back(server: Server, archive: Iterable[bytes]) -> None:
    """Put an archive into a database in one transaction, after dropping whatever its owner has there.

    The COMMIT is sent only after every chunk was given out and pg_restore ended well: whatever fails before,
    a killed process included, leaves the database as it was. Raise BackupRefused, or what `archive` raises.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as parser_errors:
        parser = subprocess.Popen(
            [program("pg_restore", server), "--no-owner", "--exit-on-error", "--file=-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=parser_errors, env=server.environment(),
        )  # fmt: skip
        writer = subprocess.Popen(
            [program("psql", server), f"--dbname={server.conninfo()}", "--no-password", "--no-psqlrc",
             "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=server.environment(),
        )  # fmt: skip
        try:
            feeding = _Feeding(parser, archive)
            _send(writer, PREAMBLE)
            for block in _blocks(parser.stdout):
                _send(writer, block)
            feeding.finish()
            if parser.wait():
                raise BackupRefused(f"pg_restore failed: {_said(parser_errors)}")
            _send(writer, ENDING)
            _pipe(writer.stdin).close()
            if writer.wait():
                raise BackupRefused(f"The database refused it and is as it was: {_said(errors)}")
        except BrokenPipeError:
            writer.wait()
            raise BackupRefused(f"The database refused it and is as it was: {_said(errors)}") from None
        finally:
            _end(parser)
            _end(writer)


class _Feeding:
    """A thread that gives the archive to pg_restore, and keeps what went wrong for the main thread."""

    def __init__(self, process: subprocess.Popen[bytes], archive: Iterable[bytes]) -> None:
        self._process, self._archive = process, archive
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pipe = _pipe(self._process.stdin)
        try:
            for chunk in self._archive:
                pipe.write(chunk)
            pipe.close()
        except BaseException as fault:
            self._fault = fault
            self._process.kill()

    def finish(self) -> None:
        """Wait for the end and raise what the thread met; a pipe that broke is told by pg_restore itself."""
        self._thread.join()
        if self._fault is not None and not isinstance(self._fault, BrokenPipeError):
            raise self._fault


def _send(process: subprocess.Popen[bytes], data: bytes) -> None:
    pipe = _pipe(process.stdin)
    pipe.write(data)
    pipe.flush()


def _blocks(pipe: IO[bytes] | None) -> Iterator[bytes]:
    while block := _pipe(pipe).read(1 << 18):
        yield block


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the program was started without this pipe")
    return pipe


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs and close its pipes; an unfinished transaction is rolled back by it."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def _said(errors: IO[bytes]) -> str:
    """Return the first line that a program wrote; detail lines may quote rows and stay out."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "it left no message"
