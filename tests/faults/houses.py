"""Real runs of `manage.py up` in a folder of their own, for the tests that kill things."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.stores import ROOT, SLOT, free_port

FORGET = ("DATABASE", "KEYS_DATABASE", "REDIS_URL", "CORTEX_")


class UpRun:
    """One running `up`: its lines, its processes, its end."""

    def __init__(self, data_dir: Path, *arguments: str, port: int | None = None) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port), *arguments],
            cwd=ROOT, env=environment(data_dir), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        """Everything that was printed so far."""
        return "\n".join(self.lines)

    def pids(self) -> dict[str, int]:
        """Return children and stores by name."""
        state = json.loads((self.data_dir / "up.json").read_text())
        return {name: pid for name, (pid, _) in state["children"].items()}

    def is_answering(self) -> bool:
        """Whether the web answers."""
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def wait_ready(self) -> UpRun:
        """Wait until the web, the worker and the sweeper run."""

        def everyone() -> bool:
            return self.is_answering() and {"web", "worker", "beat", "sweeper"} <= set(self.pids())

        wait_for(everyone, READY, self)
        return self

    def family(self) -> list[psutil.Process]:
        """Return `up` with everything that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal and return the seconds until `up` has ended."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(60)
        self.reader.join(2)
        return time.monotonic() - begun


def environment(data_dir: Path) -> dict[str, str]:
    """Return a developer's environment: nothing is configured, so `up` starts everything."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FORGET)}
    return kept | {"CORTEX_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "cortex.settings.dev"}


def house_folder(name: str) -> Path:
    """Return a folder of this slot."""
    return ROOT / ".cortex" / f"test-{SLOT}" / name


# Seconds until a house is up where other tests run meanwhile: how fast it starts `make bench-start` says.
READY = 270


def wait_for(ready: Callable[[], bool], seconds: float, run: UpRun | None = None) -> None:
    """Wait for a condition or fail with what was printed."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, ValueError, KeyError):
            if ready():
                return
        assert time.monotonic() < deadline, run.output if run else "the time is over"
        time.sleep(0.05)


def alive(members: list[psutil.Process]) -> list[psutil.Process]:
    """Return who still runs."""
    return [member for member in members if _runs(member)]


def _runs(member: psutil.Process) -> bool:
    try:
        return bool(member.is_running() and member.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


@contextmanager
def running(data_dir: Path, *arguments: str) -> Iterator[UpRun]:
    """Run `up` and end it with everything that it started, whatever the test did."""
    run = UpRun(data_dir, *arguments)
    members: list[psutil.Process] = []
    try:
        run.wait_ready()
        members = run.family()
        yield run
    finally:
        with suppress(psutil.NoSuchProcess):
            members += run.family()
        if run.process.poll() is None:
            run.end()
        for member in alive(members):
            member.kill()
