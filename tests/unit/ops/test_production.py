"""Production settings start only when everything is said and safe; each refusal names the variable."""

import os
import subprocess
import sys

import pytest

from cortex.ops.local_secrets import fresh_secrets
from tests.stores import ROOT

REMOTE = "postgresql://cortex_app:p@db.example/cortex?sslmode=verify-full"


def environment(**changes: str) -> dict[str, str]:
    secrets = fresh_secrets()
    values = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "cortex.settings.production",
        "CORTEX_SECRET_KEY": secrets["secret_key"],
        "CORTEX_MASTER_KEYS": secrets["master_keys"],
        "CORTEX_INDEX_KEY": secrets["index_key"],
        "CORTEX_AUDIT_SIGNING_KEY": secrets["audit_signing_key"],
        "CORTEX_METRICS_TOKEN": secrets["metrics_token"],
        "CORTEX_ALLOWED_HOSTS": "cortex.example",
        "DATABASE_URL": REMOTE,
        "KEYS_DATABASE_URL": "postgresql://cortex_app:p@/cortex_keys?host=/run/keys",
        "REDIS_URL": "rediss://:p@redis.example/0",
    }
    return {name: value for name, value in (values | changes).items() if value}


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(**changes),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def load_settings(**changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import cortex.settings.production"], cwd=ROOT, env=environment(**changes),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_deployment_check_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_complete_settings_load() -> None:
    assert load_settings().returncode == 0


@pytest.mark.parametrize(
    "name",
    ["CORTEX_SECRET_KEY", "CORTEX_MASTER_KEYS", "CORTEX_INDEX_KEY", "CORTEX_AUDIT_SIGNING_KEY",
     "CORTEX_METRICS_TOKEN", "CORTEX_ALLOWED_HOSTS", "DATABASE_URL", "KEYS_DATABASE_URL", "REDIS_URL"],
)  # fmt: skip
def test_nothing_may_be_missing(name: str) -> None:
    done = load_settings(**{name: ""})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("CORTEX_SECRET_KEY", "short", "too weak"),
        ("CORTEX_SECRET_KEY", "a" * 60, "too weak"),
        ("CORTEX_ALLOWED_HOSTS", "*", "wildcards"),
        ("CORTEX_ALLOWED_HOSTS", ".example.org", "wildcards"),
        ("DATABASE_URL", "postgresql://postgres:p@db/cortex?sslmode=verify-full", "superuser"),
        ("DATABASE_URL", "postgresql://cortex_app:p@db/cortex", "sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://cortex_app:p@db/cortex?sslmode=require", "sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://cortex_app:p@/cortex?host=/x/.cortex/stores/run", "embedded store"),
        ("KEYS_DATABASE_URL", REMOTE.replace("/cortex?", ":5432/cortex_keys?"), "cluster of its own"),
        ("REDIS_URL", "redis://redis/0", "must be rediss"),
        ("REDIS_URL", "rediss://redis/0?ssl_cert_reqs=none", "verify"),
        ("REDIS_URL", "unix:///x/.cortex/stores/run/redis.sock", "embedded store"),
        ("CORTEX_PUBLIC_URL", "http://cortex.example", "https"),
    ],
)
def test_unsafe_answers_are_refused(name: str, value: str, reason: str) -> None:
    done = load_settings(**{name: value})
    last = done.stderr.splitlines()[-1]
    assert done.returncode != 0
    assert reason in last
    assert ":p@" not in last


def test_up_is_not_for_production() -> None:
    done = manage("up", DATABASE_OWNER_URL=REMOTE, KEYS_DATABASE_OWNER_URL=REMOTE.replace("db.", "keys."))
    assert done.returncode == 1
    assert "in production each process has its own unit" in done.stderr


def test_a_superuser_by_another_name_is_refused_at_the_first_connection(
    child_environment: dict[str, str],
) -> None:
    from cortex.ops.embedded import superuser_address
    from tests.stores import DATA_DIR

    # The guard asks PostgreSQL, not the name; the socket's path must not look embedded for this one.
    address = superuser_address(DATA_DIR, "main", "postgres")
    script = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from cortex.settings.env import postgres_settings\n"
        f"connection.settings_dict.update(postgres_settings('X', {address!r}))\n"
        "connection.cursor()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "must not be used as a superuser" in done.stderr.splitlines()[-1]
