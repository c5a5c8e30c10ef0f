"""Production settings start only when everything is said and safe; each refusal names the variable."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

from cortex.audit.publickeys import line_of
from cortex.ops.embedded import places, superuser_address
from cortex.ops.local_secrets import fresh_secrets
from cortex.ops.processes import store_user
from cortex.settings.guards import refuse_embedded
from tests.stores import DATA_DIR, ROOT
from tests.unit.ops.forks import Done, Forks

OTHER_KEY = line_of(Ed25519PrivateKey.from_private_bytes(b"\1" * 32).public_key())
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
        "CORTEX_AUDIT_ANCHOR_FILE": "/var/anchors/anchors.jsonl",
        "CORTEX_METRICS_TOKEN": secrets["metrics_token"],
        "CORTEX_ALLOWED_HOSTS": "cortex.example",
        "DATABASE_URL": REMOTE,
        "KEYS_DATABASE_URL": "postgresql://cortex_app:p@/cortex_keys?host=/run/keys",
        "REDIS_URL": "rediss://:p@redis.example/0",
        "EMAIL_URL": "smtp+tls://cortex:p@mail.example:587",
    }
    return {name: value for name, value in (values | changes).items() if value}


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(**changes),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Processes without any setting of ours, which start at once."""
    started = Forks()
    yield started
    started.end()


def load_settings(forks: Forks, **changes: str) -> Done:
    return forks.run("import cortex.settings.production", environment(**changes))


def test_the_deployment_check_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_complete_settings_load(forks: Forks) -> None:
    assert load_settings(forks).returncode == 0
    assert load_settings(forks, EMAIL_URL="none").returncode == 0
    assert load_settings(forks, CORTEX_MASTER_KEYS="", CORTEX_KMS_KEYS="arn:aws:kms:…").returncode == 0


@pytest.mark.parametrize(
    "name",
    ["CORTEX_SECRET_KEY", "CORTEX_MASTER_KEYS", "CORTEX_INDEX_KEY", "CORTEX_AUDIT_SIGNING_KEY",
     "CORTEX_AUDIT_ANCHOR_FILE", "CORTEX_METRICS_TOKEN", "CORTEX_ALLOWED_HOSTS", "DATABASE_URL",
     "KEYS_DATABASE_URL", "REDIS_URL", "EMAIL_URL"],
)  # fmt: skip
def test_nothing_may_be_missing(forks: Forks, name: str) -> None:
    done = load_settings(forks, **{name: ""})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("CORTEX_SECRET_KEY", "short", "too weak"),
        ("CORTEX_SECRET_KEY", "a" * 60, "too weak"),
        ("CORTEX_ALLOWED_HOSTS", "*", "wildcards"),
        (
            "CORTEX_AUDIT_ANCHOR_FILE",
            str(ROOT / ".cortex" / "far" / "anchors.jsonl"),
            "outside CORTEX_DATA_DIR",
        ),
        ("CORTEX_AUDIT_ANCHOR_FILE", "anchors.jsonl", "absolute path"),
        ("CORTEX_AUDIT_PUBLIC_KEYS", "nonsense", "can't be read"),
        ("CORTEX_AUDIT_PUBLIC_KEYS", OTHER_KEY, "does not list the key that signs now"),
        ("CORTEX_ALLOWED_HOSTS", ".example.org", "wildcards"),
        ("DATABASE_URL", "postgresql://postgres:p@db/cortex?sslmode=verify-full", "superuser"),
        ("DATABASE_URL", "postgresql://cortex_app:p@db/cortex", "sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://cortex_app:p@db/cortex?sslmode=require", "sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://cortex_app:p@/cortex?host=/x/.cortex/stores/run", "embedded store"),
        ("REDIS_URL", "redis://redis/0", "must be rediss"),
        ("REDIS_URL", "rediss://redis/0?ssl_cert_reqs=none", "verify"),
        ("REDIS_URL", "rediss://redis/0?ssl_cert_reqs=required&ssl_cert_reqs=none", "verify"),
        ("REDIS_URL", "rediss://redis/0?ssl_check_hostname=false", "ssl_check_hostname"),
        ("REDIS_URL", "rediss://redis/0?ssl_check_hostname=0", "ssl_check_hostname"),
        ("REDIS_URL", "rediss://redis/0?ssl_check_hostname=", "ssl_check_hostname"),
        ("REDIS_URL", "unix:///x/.cortex/stores/run/redis.sock", "embedded store"),
        ("REDIS_URL", "unix:///tmp/cortex-0123456789ab/redis.sock", "embedded store"),
        ("DATABASE_URL", "postgresql://cortex_app:p@/cortex?host=/run/x&hostaddr=10.0.0.1", "hostaddr"),
        ("DATABASE_URL", "postgresql://cortex_app:p@/cortex?host=/run/x&service=other", "service"),
        ("DATABASE_URL", "postgresql://cortex_app:p@/cortex?host=/run/x,10.0.0.1", "one host"),
        ("PGHOSTADDR", "10.0.0.1", "PGHOSTADDR must not be set"),
        ("KEYS_DATABASE_URL", REMOTE, "of their own"),
        ("KEYS_DATABASE_URL", REMOTE.replace("/cortex?", ":5432/cortex_keys?"), "of their own"),
        ("EMAIL_URL", "console://", "smtps://"),
        ("EMAIL_URL", "memory://", "smtps://"),
        ("CORTEX_PUBLIC_URL", "http://cortex.example", "https"),
    ],
)
def test_unsafe_answers_are_refused(forks: Forks, name: str, value: str, reason: str) -> None:
    done = load_settings(forks, **{name: value})
    last = done.stderr.splitlines()[-1]
    assert done.returncode != 0
    assert reason in last
    assert ":p@" not in last


def test_up_is_not_for_production() -> None:
    keys = REMOTE.replace("db.example", "keys.example")
    done = manage("up", DATABASE_OWNER_URL=REMOTE, KEYS_DATABASE_OWNER_URL=keys)
    assert done.returncode == 1
    assert "in production each process has its own unit" in done.stderr


def first_connection(forks: Forks, address: str) -> str:
    """Connect to an address that the settings never saw; return the last line of what was said."""
    script = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from cortex.settings.env import postgres_settings\n"
        f"connection.settings_dict.update(postgres_settings('X', {address!r}))\n"
        "connection.cursor()\n"
    )
    done = forks.run(script, environment())
    assert done.returncode != 0
    return done.stderr.splitlines()[-1]


def test_a_superuser_by_another_name_is_refused_at_the_first_connection(forks: Forks) -> None:
    address = superuser_address(DATA_DIR, "main", "postgres")
    assert "must not be used as a superuser" in first_connection(forks, address)


def test_an_embedded_postgresql_is_refused_at_the_first_connection(
    forks: Forks, child_environment: dict[str, str], django_db_setup: None
) -> None:
    assert "is an embedded store" in first_connection(forks, child_environment["DATABASE_URL"])


def test_a_link_to_an_embedded_store_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "redis"
    link.symlink_to(places(DATA_DIR, store_user())[1])
    with pytest.raises(ImproperlyConfigured, match="embedded store"):
        refuse_embedded("REDIS_URL", str(link))


def test_a_folder_beside_an_embedded_cluster_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "postgres-main.furnished").touch()
    with pytest.raises(ImproperlyConfigured, match="embedded store"):
        refuse_embedded("REDIS_URL", str(tmp_path / "any"))


@pytest.mark.parametrize("query", ["", "?ssl_ca_certs=/ca.pem"])
def test_celery_verifies_the_certificate_of_its_broker(query: str) -> None:
    code = (
        "import django; django.setup()\n"
        "from cortex.celery import app\n"
        "with app.connection_for_read() as broker: print(dict(broker.ssl))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(REDIS_URL=f"rediss://:p@redis.example/0{query}"),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "'ssl_cert_reqs': <VerifyMode.CERT_REQUIRED: 2>" in done.stdout


def test_pages_and_sockets_are_the_same_program_that_gives_requests_an_end() -> None:
    """What is tested under faults is what runs: nothing else may serve pages (decision 69)."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert "command" not in compose["pages"], "the image's own"
    found = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    assert found is not None
    pages, sockets = json.loads(found[1]), compose["sockets"]["command"]
    assert pages[:2] == sockets[:2] == ["uvicorn", "cortex.asgi:application"]
    as_one = {word for word in sockets if not word.startswith("--ws")}
    assert set(pages) == as_one | {"--ws=none"}
    assert {"--no-access-log", "--no-server-header", "--no-proxy-headers"} <= as_one
    for service in ("pages", "sockets"):
        assert int(compose[service]["environment"]["CORTEX_DB_POOL"]) > 9, "the hub has nine"
