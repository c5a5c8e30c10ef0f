"""The production shape: compose.yaml's processes by their own commands, secrets, roles and health checks.

Containers themselves are not built here; what they would run is read from compose.yaml and the Dockerfile.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.faults.composed import COMPOSE, HOST, ONCE, Shape, health_of
from tests.faults.houses import wait_for
from tests.stores import ROOT

pytestmark = pytest.mark.faults
SERVICES = COMPOSE["services"]
OURS = ("pages", "sockets", "worker", "beat", "sweeper", "watchdog", "migrate", "backup", "keys-backup")


@pytest.fixture(scope="module")
def running() -> Iterator[Shape]:
    """Run all of it on clusters of its own: production refuses the embedded ones."""
    shape = Shape()
    try:
        shape.start()
        for port in shape.ports.values():
            wait_for(lambda port=port: ask(port, "/readyz", host="localhost")[0] == 200, 60)  # type: ignore[misc]
        yield shape
    finally:
        shape.stop()


@pytest.fixture
def shape(running: Shape) -> dict[str, int]:
    """The ports of pages and sockets."""
    return running.ports


def ask(port: int, path: str, *, host: str = HOST, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask as the proxy does."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request(
            "GET", path, headers={"Host": host} | {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = client.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        client.close()


def test_both_servers_are_ready_and_the_sweeper_works(shape: dict[str, int]) -> None:
    for port in shape.values():
        wait_for(lambda port=port: sweeper_state(port) == "ok", 10)  # type: ignore[misc]


@pytest.mark.parametrize(
    "service", ["pages", "sockets", "sweeper", "redis", "postgres", "keys", "worker", "watchdog"]
)
def test_a_health_check_tells_a_running_service_from_one_that_ended(service: str, running: Shape) -> None:
    wait_for(lambda: running.is_healthy(service), 60)


def test_each_process_works_in_the_role_that_compose_names(running: Shape) -> None:
    cluster = running.clusters["postgres"]
    address = cluster.address("postgres", cluster.password, "cortex")
    with psycopg.connect(address, autocommit=True) as connection:
        roles = (
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'cortex' AND usename ~ 'cortex'"
        )
        assert {row[0] for row in connection.execute(roles)} == {"cortex_app", "cortex_system"}
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(owners).fetchall() == [("cortex_owner",)]


def test_beat_is_healthy_once_its_first_task_went_through_the_worker(running: Shape) -> None:
    def beats() -> bool:
        time.sleep(4)  # each question starts a process: asked without a rest, they keep a core busy
        return running.is_healthy("beat")

    wait_for(beats, 120)
    running.processes["beat"].poll()
    assert [name for name, process in running.processes.items() if process.poll() is not None] == []


def test_backups_are_taken_by_their_own_services_each_with_its_own_key(running: Shape) -> None:
    for service, prefix in (("backup", "main-"), ("keys-backup", "keys-")):
        (running.folder / f"of-{service}").mkdir()
        running.run(running.words(service, SERVICES[service]["command"]), running.environment(service))
        taken = [path.name for path in (running.folder / f"of-{service}").iterdir() if path.is_dir()]
        assert [name.startswith(prefix) for name in taken] == [True]
        keys = {"backup_key", "keys_backup_key"}
        assert len(keys & set(SERVICES[service]["secrets"])) == 1
        assert not any(keys & set(SERVICES[name].get("secrets", ())) for name in OURS if "backup" not in name)


def test_every_service_that_stays_has_a_health_check_and_none_of_ours_is_root() -> None:
    assert [name for name, one in SERVICES.items() if name not in ONCE and not health_of(one)] == []
    # PostgreSQL's image gives root up by itself; `prepare` must be root to give folders away.
    rootless = {name: one.get("user", "") for name, one in SERVICES.items()}
    assert {name for name, user in rootless.items() if not user} == {"postgres", "keys", "prepare"}
    assert {user for user in rootless.values() if user} == {"10001:10001"}
    for name in OURS:
        assert SERVICES[name]["read_only"] and SERVICES[name]["cap_drop"] == ["ALL"]


def test_secrets_stay_out_of_the_image_and_each_user_reads_its_own(tmp_path: Path) -> None:
    assert "secrets" in (ROOT / ".dockerignore").read_text().split()
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()
    deploy = tmp_path / "docs/deploy"
    deploy.mkdir(parents=True)
    (deploy / "make-secrets.sh").write_text((ROOT / "docs/deploy/make-secrets.sh").read_text())
    done = subprocess.run(
        ["bash", str(deploy / "make-secrets.sh"), HOST], capture_output=True, text=True, check=True
    )
    of_postgres = set(SERVICES["postgres"]["secrets"])
    assert of_postgres.isdisjoint(SERVICES["pages"]["secrets"])
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert set(COMPOSE["secrets"]) == made - {"cortex.env"}
    for path in (tmp_path / "secrets").iterdir():
        status = path.stat()
        assert status.st_mode & 0o077 == 0
        if os.geteuid() == 0:
            assert status.st_uid == (999 if path.name in of_postgres else 10001), path.name
    if os.geteuid() != 0:
        assert "Run as root once" in done.stdout


def sweeper_state(port: int) -> str:
    return str(json.loads(ask(port, "/readyz", host="localhost")[2])["parts"]["sweeper"]["state"])


def test_without_tls_people_are_led_to_it(shape: dict[str, int]) -> None:
    status, headers, _ = ask(shape["pages"], "/")
    assert (status, headers["location"]) == (301, f"https://{HOST}/")


def test_a_page_comes_with_every_header(shape: dict[str, int]) -> None:
    for port in shape.values():
        status, headers, body = ask(port, "/accounts/login/", X_Forwarded_Proto="https")
        assert (status, b"<h1" in body) == (200, True)
        assert headers["strict-transport-security"].startswith("max-age=31536000; includeSubDomains")
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["set-cookie"].startswith("__Host-csrftoken=")
        assert "server" not in headers or "uvicorn" not in headers["server"]


def test_machines_ask_by_an_address(shape: dict[str, int]) -> None:
    for port in shape.values():
        assert ask(port, "/healthz", host=f"127.0.0.1:{port}")[0] == 200
        assert ask(port, "/metrics", host=f"127.0.0.1:{port}")[0] == 401


def test_a_foreign_host_is_refused(shape: dict[str, int]) -> None:
    assert ask(shape["pages"], "/accounts/login/", host="evil.example", X_Forwarded_Proto="https")[0] == 400


def test_static_files_are_kept_for_ever_under_their_hashed_names(shape: dict[str, int]) -> None:
    body = ask(shape["pages"], "/accounts/login/", X_Forwarded_Proto="https")[2].decode()
    path = next(part for part in body.split('"') if part.startswith("/static/css/"))
    status, headers, _ = ask(shape["pages"], path, X_Forwarded_Proto="https")
    assert status == 200
    assert "immutable" in headers["cache-control"]


def begin_upload(port: int) -> socket.socket:
    """Say that ten megabytes follow, and send a few bytes of them."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    head = (
        f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nCookie: __Host-csrftoken={'x' * 32}\r\n"
        f"Content-Length: {10 * 2**20}\r\n\r\n--x\r\n"
    )
    client.sendall(head.encode())
    return client


def test_uploads_that_drip_hold_up_nobody(shape: dict[str, int]) -> None:
    for port in shape.values():
        dripping = [begin_upload(port) for _ in range(40)]
        try:
            time.sleep(0.5)
            for client in dripping:
                client.sendall(b"a")
            assert ask(port, "/healthz", host="localhost")[0] == 200
            assert ask(port, "/accounts/login/", X_Forwarded_Proto="https")[0] == 200
        finally:
            for client in dripping:
                client.close()


def test_a_body_above_the_limit_is_answered(shape: dict[str, int]) -> None:
    for port in shape.values():
        with begin_upload(port) as client:
            client.sendall(bytes(10 * 2**20))
            assert client.recv(64).split()[1] == b"400"  # read to its end, and then it was no form
        raw = (
            f"POST /api/v1/intake HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n"
            f"Content-Length: {2**31}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(raw.encode())
            assert client.recv(64).split()[1] == b"413"


def test_with_the_database_standing_still_each_request_ends_and_no_more_than_a_few_wait(
    running: Shape,
) -> None:
    """Twelve people at once: more than a few threads could take one after the other in time."""
    ended: list[tuple[int, float]] = []

    def look() -> None:
        began = time.monotonic()
        cookie = f"__Host-sessionid={'x' * 32}"
        with socket.create_connection(("127.0.0.1", running.ports["pages"]), timeout=60) as client:
            head = f"GET /board/ HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\nCookie: {cookie}\r\n"
            client.sendall(f"{head}Connection: close\r\n\r\n".encode())
            ended.append((int(client.recv(64).split()[1]), time.monotonic() - began))

    with running.standing_still("postgres"):
        people = [threading.Thread(target=look) for _ in range(12)]
        for one in people:
            one.start()
        time.sleep(1)
        assert ask(running.ports["pages"], "/healthz", host="localhost")[0] == 200
        for one in people:
            one.join(60)
    assert len(ended) == 12 and max(seconds for _, seconds in ended) < 30, ended
    assert {status for status, _ in ended} <= {500, 503}, ended
    wait_for(lambda: ask(running.ports["pages"], "/readyz", host="localhost")[0] == 200, 60)


def test_the_pages_take_no_sockets(shape: dict[str, int]) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
               "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": f"https://{HOST}"}  # fmt: skip
    found = {name: ask(port, "/ws/live/", X_Forwarded_Proto="https", **upgrade)[0]
             for name, port in shape.items()}  # fmt: skip
    assert found["pages"] == 404 and found["sockets"] in (101, 403), found


CANARY = "canary-words-of-a-person"


def provoke(port: int, raw: str) -> None:
    """Send what no client of ours sends, and take whatever comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(raw.replace("\n", "\r\n").encode())
        with suppress(OSError):
            client.recv(4096)


def test_every_line_is_json_and_holds_no_word_address_or_path(running: Shape) -> None:
    upgrade = (
        "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n"
    )
    for port in running.ports.values():
        ask(port, f"/{CANARY}?q={CANARY}", X_Forwarded_Proto="https")
        ask(port, "/accounts/login/", host=f"{CANARY}.example", X_Forwarded_Proto="https")
        provoke(port, f"POST /accounts/login/ HTTP/1.1\nHost: {HOST}\nOrigin: https://{CANARY}\n"
                      "X-Forwarded-Proto: https\nContent-Length: 0\nConnection: close\n\n")  # fmt: skip
        provoke(port, f"GET /{CANARY} HTTP/9.{CANARY}\nHost: {HOST}\n\n")
        provoke(port, f"{CANARY}\n\n")
    # A socket that nobody serves, and one that another site opened.
    for path, origin in ((f"/ws/{CANARY}", f"https://{HOST}"), (f"/ws/live/?{CANARY}", f"https://{CANARY}")):
        head = f"GET {path} HTTP/1.1\nHost: {HOST}\nOrigin: {origin}\n"
        provoke(running.ports["sockets"], f"{head}{upgrade}\n")
    send = (
        "from cortex.celery import app\n"
        f"app.send_task('cortex.accounts.sweep_out', kwargs={{'{CANARY}': 1}})\n"
        f"app.send_task('no.such.task.{CANARY}', args=['{CANARY}'])\n"
    )
    running.run(["python", "-c", send], running.environment("worker"))

    def everything_was_said() -> bool:
        text = "\n".join(running.written())
        said = (
            "Exception in ASGI application",
            "accounts.sweep_out",
            "unregistered task",
            "Invalid HTTP_HOST",
        )
        return all(part in text for part in said)

    wait_for(everything_was_said, 20)
    lines = running.written()
    assert [line for line in lines if not line.startswith("{")] == []
    assert [line for line in lines if CANARY in line or "127.0.0.1" in line] == []
    assert all(json.loads(line) for line in lines)
