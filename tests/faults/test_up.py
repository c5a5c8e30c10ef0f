"""`up` keeps its children running, stops everything, and says in a sentence why it won't start."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from cortex.ops.embedded import addresses, superuser_address
from tests.faults.houses import UpRun, alive, environment, house_folder, running, wait_for
from tests.stores import ROOT

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = house_folder("up")
    shutil.rmtree(path, ignore_errors=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[UpRun]:
    with running(folder) as run:
        yield run


def refusal(data_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "up", *arguments], cwd=ROOT, env=environment(data_dir),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_it_starts_everything_and_says_where(house: UpRun) -> None:
    wait_for(lambda: "ready after" in house.output, 60, house)
    assert f"http://localhost:{house.port}/" in house.output
    for kind, command in (("main", "backup"), ("keys", "keys backup")):
        said = f"WARNING: there is no backup of the {kind} database: manage.py {command} --to FOLDER"
        assert said in house.output
    assert {"web", "worker", "beat", "sweeper", "watchdog", "postgres-main", "postgres-keys", "redis"} <= set(
        house.pids()
    )


def test_the_stores_never_run_as_root(house: UpRun) -> None:
    for name in ("postgres-main", "postgres-keys", "redis"):
        assert psutil.Process(house.pids()[name]).uids().real != 0


def test_the_web_works_as_the_application_and_nothing_listens_on_the_network(house: UpRun) -> None:
    with psycopg.connect(addresses(house.data_dir)["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles "
                                 "WHERE rolname = current_user").fetchone()  # fmt: skip
    assert row == ("cortex_app", False, False)
    family = {member.pid for member in house.family()}
    listening = [place for place in psutil.net_connections("inet") if place.pid in family and place.laddr]
    assert {place.laddr.port for place in listening if place.status == psutil.CONN_LISTEN} == {house.port}


def test_a_second_up_in_the_same_folder_is_refused(house: UpRun) -> None:
    said = refusal(house.data_dir, "--port", "0")
    assert (
        f"Cortex already runs in this folder (process {house.process.pid}, http://localhost:{house.port}/)"
        in said
    )
    assert house.is_answering()


@pytest.mark.parametrize("name", ["web", "worker", "sweeper", "watchdog", "beat"])
def test_a_crashed_child_is_started_again_and_said_so(house: UpRun, name: str) -> None:
    before = house.pids()[name]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: house.pids().get(name, before) != before, 60, house)
    wait_for(lambda: f"{name:<10}| started again" in house.output, 60, house)
    assert "killed by signal 9" in house.output
    wait_for(house.is_answering, 60, house)


STORES = {"redis": "Redis", "postgres-main": "PostgreSQL (main)", "postgres-keys": "PostgreSQL (keys)"}


@pytest.mark.parametrize("name", STORES)
def test_a_crashed_store_is_started_again_and_ends_nobody(house: UpRun, name: str) -> None:
    before = house.pids()
    with busy_backend(house, name):
        os.kill(before[name], signal.SIGKILL)
        wait_for(lambda: f"{STORES[name]} ended unexpectedly" in house.output, 60, house)
    wait_for(lambda: f"{STORES[name]} was started again and is ready" in house.output, 120, house)
    wait_for(lambda: house.pids()[name] != before[name], 30, house)
    wait_for(lambda: ready_parts(house)["database"] == ready_parts(house)["keys"] == "ok", 60, house)
    assert house.process.poll() is None
    assert house.pids()["web"] == before["web"]


@contextmanager
def busy_backend(house: UpRun, name: str) -> Iterator[None]:
    """Let a backend of PostgreSQL count for some seconds: it outlives its postmaster and holds its memory."""
    if name == "redis":
        yield
        return
    cluster, database = {"postgres-main": ("main", "cortex"), "postgres-keys": ("keys", "cortex_keys")}[name]
    busy = psycopg.connect(superuser_address(house.data_dir, cluster, database), autocommit=True)
    spin = "DO $$ BEGIN WHILE clock_timestamp() < now() + interval '3 s' LOOP END LOOP; END $$"
    thread = threading.Thread(target=lambda: suppressed(lambda: busy.execute(spin)))
    thread.start()
    with psycopg.connect(superuser_address(house.data_dir, cluster, database), autocommit=True) as looking:
        wait_for(lambda: working(looking, busy.info.backend_pid), 30, house)
    try:
        yield
    finally:
        thread.join(60)


def working(connection: psycopg.Connection[Any], backend: int) -> bool:
    row = connection.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone()
    return row == ("active",)


def suppressed(call: Callable[[], object]) -> None:
    """The line is cut in the middle: that is the point."""
    with suppress(psycopg.OperationalError):
        call()


def ready_parts(house: UpRun) -> dict[str, str]:
    """Return the state of each part as /readyz tells it, whatever its status."""
    client = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
    try:
        client.request("GET", "/readyz", headers={"Host": "localhost"})
        parts = json.loads(client.getresponse().read())["parts"]
        return {name: part["state"] for name, part in parts.items()}
    finally:
        client.close()


def test_a_taken_port_is_said_in_a_sentence(house: UpRun) -> None:
    other = house_folder("up-other")
    try:
        assert f"Port {house.port} is taken by another program" in refusal(other, "--port", str(house.port))
        assert "Port 70000 doesn't exist" in refusal(other, "--port", "70000")
        assert "The address 192.0.2.1 can't be used here" in refusal(other, "--host", "192.0.2.1")
        assert not (other / "stores").exists()
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_a_stop_leaves_nothing_and_loses_nothing(house: UpRun, folder: Path) -> None:
    """Ends the house of the tests above; those below start their own where it stood."""
    members, secrets = house.family(), (folder / "secrets.json").read_text()
    with psycopg.connect(superuser_address(folder, "main", "cortex"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    house.end(signal.SIGINT)
    assert alive(members) == []
    assert house.process.returncode == 0
    assert "stopped; everything is kept for the next start." in house.output
    with running(folder) as again:
        with psycopg.connect(superuser_address(folder, "main", "cortex")) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        assert (folder / "secrets.json").read_text() == secrets
        assert "migrated" in house.output
        assert "migrated" not in again.output
        stop_during_a_slow_task(again, folder)


def stop_during_a_slow_task(run: UpRun, folder: Path) -> None:
    """A worker in the middle of a task, which waits for a lock, holds nothing up and is not left behind."""
    with psycopg.connect(superuser_address(folder, "main", "cortex")) as holder:
        holder.execute("LOCK TABLE ops_servicemetric IN ACCESS EXCLUSIVE MODE")
        send_slow_task(folder)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(superuser_address(folder, "main", "cortex"), autocommit=True) as looking:
            wait_for(lambda: looking.execute(waits).fetchone()[0] > 0, 60, run)  # type: ignore[index]
        members = run.family()
        run.end()
        assert alive(members) == []
        assert run.process.returncode == 0
        with suppress(psycopg.OperationalError):
            holder.rollback()


def send_slow_task(folder: Path) -> None:
    """Ask the worker for the one task that writes what the test holds."""
    code = "from cortex.celery import app; app.send_task('cortex.ops.tasks.record_metrics')"
    env = environment(folder) | {"CORTEX_DB_ROLE": "app"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True, timeout=120)


@pytest.fixture
def left(house: UpRun, folder: Path) -> Path:
    """The folder that a house which was stopped has left."""
    if house.process.poll() is None:
        house.end()
    return folder


def test_after_a_killed_up_nothing_stays_and_the_next_start_ends_a_leftover_child(left: Path) -> None:
    with running(left) as run:
        members = run.family()
        run.process.kill()
        wait_for(lambda: alive(members) == [], 60, run)
    # As if one had stayed all the same.
    stray = subprocess.Popen(["sleep", "60"])
    try:
        begun = (Path("/proc") / str(stray.pid) / "stat").read_text().rpartition(")")[2].split()[19]
        mine = (Path("/proc/self/stat")).read_text().rpartition(")")[2].split()[19]
        state = json.loads((left / "up.json").read_text())
        state["children"] |= {"worker": [stray.pid, begun], "web": [os.getpid(), f"not {mine}"]}
        (left / "up.json").write_text(json.dumps(state))
        with running(left) as again:
            assert "ended worker, which a killed run had left behind" in again.output
            assert stray.wait(20) == -signal.SIGTERM
            assert f"ready in {left / 'stores'}." in again.output
            assert again.is_answering()
            members = again.family()
            again.end(signal.SIGHUP)  # its terminal was closed
            assert alive(members) == []
            assert again.process.returncode == 0
    finally:
        stray.kill()


def test_new_secrets_do_not_meet_old_databases_and_both_can_be_cleaned_together(left: Path) -> None:
    (left / "secrets.json").unlink()
    assert f"The databases in {left / 'stores'} were made with other secrets" in refusal(left)
    command = [sys.executable, "manage.py", "clean_data", "--yes"]
    subprocess.run(command, cwd=ROOT, env=environment(left), check=True, capture_output=True, timeout=120)
    assert not (left / "stores").exists()


def test_a_folder_that_may_not_be_written_is_said_in_a_sentence() -> None:
    # /sys refuses even root, as a read-only disk does.
    assert "No permission to write /sys/cortex: choose another folder" in refusal(Path("/sys/cortex"))


def test_a_port_in_use_by_somebody_else_is_not_taken_over() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        folder = house_folder("up-other")
        port = other.getsockname()[1]
        assert f"Port {port} is taken" in refusal(folder, "--port", str(port))
        shutil.rmtree(folder, ignore_errors=True)
