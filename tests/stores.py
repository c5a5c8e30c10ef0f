"""The stores of a test run: clusters per slot, migrated template databases, roles, and the clean-up.

`make test` migrates the slot `seed` beside the types (`tests/seed.py`); each process of a run copies it.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cortex.ops.embedded import SQL, EmbeddedStores, addresses, superuser_address
from cortex.ops.local_secrets import load_or_make
from tests import cleaning

ROOT = Path(__file__).resolve().parents[1]
SLOT = os.environ.get("CORTEX_TEST_SLOT", "main") + os.environ.get("PYTEST_XDIST_WORKER", "")
DATA_DIR, SEED = ROOT / ".cortex" / f"test-{SLOT}", ROOT / ".cortex" / "test-seed"
STAMP = "migrations.stamp"
DATABASES = {"default": ("main", "cortex_test"), "keys": ("keys", "cortex_keys_test")}
SETUP = {"main": SQL / "database.sql", "keys": SQL / "keys-database.sql"}
_state: dict[str, Any] = {}
_clean: dict[str, cleaning.Clean] = {}


def start() -> None:
    """Start this slot's clusters and Redis; wait when another run holds the slot."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    lock: IO[str] = (DATA_DIR / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"Waiting: another test run uses slot {SLOT} (CORTEX_TEST_SLOT).", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    _state["lock"] = lock
    copy_seed()
    embedded = EmbeddedStores(DATA_DIR, durable=False)
    embedded.start()
    _state["stores"] = embedded
    os.environ.update(addresses(DATA_DIR))


def stop() -> None:
    """Stop what was started."""
    if "stores" in _state:
        from django.db import connections

        connections.close_all()
        _state.pop("stores").stop()
        _state.pop("lock").close()


def copy_seed() -> None:
    """Begin a slot that has no clusters yet with a copy of the seed's, if those are of these migrations."""
    home, seed = EmbeddedStores(DATA_DIR).home, EmbeddedStores(SEED).home
    if DATA_DIR == SEED or home.exists() or stamp_of(SEED) != migrations_stamp():
        return
    if load_or_make(DATA_DIR) != load_or_make(SEED):
        return  # their passwords are not this slot's
    with (SEED / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # it runs: files that a server writes to are no copy
        # Files keep whose they are: the servers' own user.
        subprocess.run(["cp", "-a", str(seed), str(home)], check=True)
        shutil.copy(SEED / STAMP, DATA_DIR / STAMP)


def build_templates() -> None:
    """Migrate templates when migrations or the month changed since they were made.

    Asked again behind a build, for a month may begin meanwhile: migrations make months around their own.
    """
    while (stamp := migrations_stamp()) != stamp_of(DATA_DIR):
        (DATA_DIR / STAMP).unlink(missing_ok=True)
        for cluster, name in DATABASES.values():
            recreate(cluster, template_of(name), None)
        migrate_templates()
        (DATA_DIR / STAMP).write_text(stamp)


def build_databases() -> None:
    """Copy the templates for this run."""
    build_templates()
    refresh()
    for cluster, name in DATABASES.values():
        _clean[name] = cleaning.remember(superuser_address(DATA_DIR, cluster, name))
    install_flush()


def refresh() -> None:
    """Replace the run's databases by fresh copies of the templates."""
    leave()
    for cluster, name in DATABASES.values():
        recreate(cluster, name, template_of(name))


def clean() -> None:
    """Make the run's databases what they were before the test; what only a fresh copy can undo gets one."""
    leave()
    for cluster, name in DATABASES.values():
        known = _clean[name]
        if not cleaning.put_back(superuser_address(DATA_DIR, cluster, name), known):
            recreate(cluster, name, template_of(name))
            cleaning.begin_anew(known)


def leave() -> None:
    """Close this process's connections."""
    from django.db import connections

    async def close_those_of_the_loops() -> None:
        connections.close_all()

    connections.close_all()
    try:
        asyncio.get_running_loop()  # that of a file's browser, whose connections are closed by now
    except RuntimeError:
        # A file that drove a browser leaves connections in the context that every later loop copies.
        asyncio.run(close_those_of_the_loops())


def template_of(name: str) -> str:
    """Return the name of the migrated, never used copy."""
    return f"{name}_template"


def recreate(cluster: str, name: str, template: str | None) -> None:
    """Drop a database with whoever uses it and create it again, empty with its set-up or as a copy."""
    with psycopg.connect(superuser_address(DATA_DIR, cluster, "postgres"), autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        source = sql.Identifier(template or "template0")
        statement = "CREATE DATABASE {} OWNER cortex_owner TEMPLATE {} STRATEGY FILE_COPY"
        connection.execute(sql.SQL(statement).format(identifier, source))
    if template is None:
        with psycopg.connect(superuser_address(DATA_DIR, cluster, name), autocommit=True) as connection:
            connection.execute(SETUP[cluster].read_bytes())


def migrate_templates() -> None:
    """Run the project's migrations as the owner, as in production."""
    from django.core.management import call_command

    with owning({alias: template_of(name) for alias, (_, name) in DATABASES.items()}):
        for alias in DATABASES:
            call_command("migrate", database=alias, verbosity=0, interactive=False)


@contextmanager
def owning(names: dict[str, str]) -> Iterator[None]:
    """Point aliases at other databases of their clusters, as the owner, for a while."""
    from django.db import connections

    password = load_or_make(DATA_DIR)["owner_password"]
    kept = {alias: dict(connections.databases[alias]) for alias in names}
    try:
        for alias, name in names.items():
            point_at(alias, {"NAME": name, "USER": "cortex_owner", "PASSWORD": password, "OPTIONS": {}})
        yield
    finally:
        for alias, settings in kept.items():
            point_at(alias, settings)


def point_at(alias: str, settings: dict[str, Any]) -> None:
    """Give an alias other settings and a fresh connection."""
    from django.db import connections

    connections[alias].close()
    connections.databases[alias].update(settings)
    del connections[alias]


def stamp_of(data_dir: Path) -> str:
    """Return of which month and migrations a slot's templates are; "" where there are none."""
    file = data_dir / STAMP
    return file.read_text() if file.exists() else ""


def migrations_stamp() -> str:
    """Return the month, and a digest of all migrations, what they are built from, and the roles' SQL."""
    digest = hashlib.sha256()
    sources = [*SQL.glob("*.sql"), *ROOT.glob("cortex/**/*.py"), *ROOT.glob("cortex/**/*.json")]
    for floor in ("patients", "crisis", "clinical"):
        sources += [*ROOT.glob(f"{floor}/**/migrations/*.py"), *ROOT.glob(f"{floor}/**/models.py")]
    for path in sorted(sources):
        if path.parent.name == "migrations" or path.suffix == ".sql" or path.name in BUILT_FROM:
            digest.update(path.name.encode() + path.read_bytes())
    return f"{datetime.now(UTC):%Y-%m} {digest.hexdigest()}"


def month_of_build() -> date:
    """Return the first day of the month in which this run's databases were migrated; it may be over."""
    return date.fromisoformat(f"{stamp_of(DATA_DIR).split()[0]}-01")


BUILT_FROM = {"operations.py", "partitions.py", "rows.py"}


def install_flush() -> None:
    """Let Django's transactional tests end by our own clean-up: triggers forbid it to the application."""
    from django.test import TransactionTestCase

    def flush(self: TransactionTestCase) -> None:
        clean()

    TransactionTestCase._fixture_teardown = flush  # type: ignore[method-assign, attr-defined]


@contextmanager
def role(name: str) -> Iterator[None]:
    """Change the role of both connections for a while."""
    from django.db import connections

    def put_on(role_name: str) -> None:
        for alias in DATABASES:
            with connections[alias].cursor() as cursor:
                cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role_name)))

    put_on(name)
    try:
        yield
    finally:
        if not any(connections[alias].needs_rollback for alias in DATABASES):
            put_on("cortex_app")


def child_environment() -> dict[str, str]:
    """Return the environment of children (uvicorn, sweeper, worker) on this run's databases."""
    values = addresses(DATA_DIR)
    for key, value in values.items():
        if "DATABASE" in key:
            old, new = (
                ("/cortex_keys?", "/cortex_keys_test?")
                if key.startswith("KEYS")
                else ("/cortex?", "/cortex_test?")
            )
            values[key] = value.replace(old, new)
    settings = {"DJANGO_SETTINGS_MODULE": "cortex.settings.dev", "CORTEX_DATA_DIR": str(DATA_DIR)}
    settings["CORTEX_MFA_REQUIRED_ROLES"] = "none"
    return {**os.environ, **values, **settings, "PYTHONPATH": str(ROOT)}


def socket_of(cluster: str) -> Path:
    """Return the socket of a cluster of this run."""
    address = conninfo_to_dict(superuser_address(DATA_DIR, cluster, "postgres"))
    return Path(str(address["host"])) / f".s.PGSQL.{address['port']}"


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
