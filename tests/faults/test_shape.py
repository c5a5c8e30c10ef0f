"""The production shape, as compose.yaml starts it: gunicorn, uvicorn and the sweeper with real roles."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.houses import free_port, wait_for
from tests.stores import DATA_DIR, ROOT, child_environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db]
HOST = "cortex.example"
BIN = Path(sys.executable).parent


@dataclass
class Shape:
    """What runs: ports by name, the folder with what each process wrote, and their environment."""

    ports: dict[str, int]
    folder: Path
    environment: dict[str, str]

    def written(self) -> list[str]:
        """Return every line that any of them wrote so far."""
        return [line for log in self.folder.glob("*.log") for line in log.read_text().splitlines()]


@pytest.fixture
def shape(running: Shape) -> dict[str, int]:
    """The ports."""
    return running.ports


@pytest.fixture(scope="module")
def running(django_db_setup: None) -> Iterator[Shape]:
    """Run them as compose.yaml does, on the slot's databases by a path that doesn't look embedded."""
    folder = Path(tempfile.mkdtemp(prefix="cortex-shape-"))
    sockets = folder / "sockets"
    sockets.symlink_to(DATA_DIR / "stores" / "run")
    environment = production(folder, sockets)
    ports = {"pages": free_port(), "sockets": free_port()}
    # The command lines of compose.yaml, with this test's addresses.
    gunicorn = [
        BIN / "gunicorn",
        "cortex.wsgi:application",
        f"--bind=127.0.0.1:{ports['pages']}",
        "--threads=4",
        "--logger-class=cortex.ops.gunicorn_logs.JsonLogger",
    ]
    uvicorn = [
        BIN / "uvicorn", "cortex.asgi:application", f"--port={ports['sockets']}", "--no-access-log",
        "--log-level=warning", "--no-server-header", "--no-proxy-headers", "--ws-max-size=65536",
        "--ws-per-message-deflate=false",
    ]  # fmt: skip
    sweeper = [sys.executable, "manage.py", "sweep"]
    worker = [
        BIN / "celery", "--quiet", "--app=cortex.celery", "worker", "--pool=prefork", "--concurrency=1",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    commands: list[tuple[list[str], str]] = [
        ([str(part) for part in gunicorn], "app"),
        ([str(part) for part in uvicorn], "app"),
        (sweeper, "system"),
        ([str(part) for part in worker], "system"),
    ]
    run([sys.executable, "manage.py", "collectstatic", "--noinput"], environment)
    processes = []
    try:
        for command, role in commands:
            started = environment | {"CORTEX_DB_ROLE": role}
            with (folder / f"{len(processes)}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, cwd=ROOT, env=started, stdout=log, stderr=log))
        for port in ports.values():
            wait_for(lambda port=port: ask(port, "/readyz", host="localhost")[0] == 200, 40)  # type: ignore[misc]
        yield Shape(ports, folder, environment)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(15)
        shutil.rmtree(folder)


def production(folder: Path, sockets: Path) -> dict[str, str]:
    """Return what ./secrets and compose.yaml would say."""
    values = child_environment()
    kept = {name: value for name, value in values.items() if "DATABASE" in name or name.startswith("CORTEX_")}
    kept = {
        name: value.replace(str(DATA_DIR / "stores" / "run"), str(sockets)) for name, value in kept.items()
    }
    return kept | {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "cortex.settings.production",
        "REDIS_URL": values["REDIS_URL"].replace(str(DATA_DIR / "stores" / "run"), str(sockets)),
        "CORTEX_ALLOWED_HOSTS": f"{HOST},localhost",
        "CORTEX_TRUSTED_PROXIES": "1",
        "CORTEX_DATA_DIR": str(folder),
        "CORTEX_STATIC_ROOT": str(folder / "static"),
    }


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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


def test_a_foreign_host_is_refused(shape: dict[str, int]) -> None:
    assert ask(shape["pages"], "/accounts/login/", host="evil.example", X_Forwarded_Proto="https")[0] == 400


def test_static_files_are_kept_for_ever_under_their_hashed_names(shape: dict[str, int]) -> None:
    body = ask(shape["pages"], "/accounts/login/", X_Forwarded_Proto="https")[2].decode()
    path = next(part for part in body.split('"') if part.startswith("/static/css/"))
    status, headers, _ = ask(shape["pages"], path, X_Forwarded_Proto="https")
    assert status == 200
    assert "immutable" in headers["cache-control"]


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
    run([sys.executable, "-c", send], running.environment)

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
