"""`make bench-start`: first and second start to the first good page, stop, memory; also with the demo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.kept import ROOT, keep

DATA_DIR = ROOT / ".cortex" / "bench-start"
IDLE_SECONDS = 20
GOALS = {"first": 12.0, "second": 6.0, "stop": 5.0, "pss": 600.0}
STORES = ("DATABASE", "REDIS_URL", "CORTEX_")


@dataclass
class Up:
    """One run of `manage.py up` in the bench's own folder."""

    process: subprocess.Popen[bytes]
    port: int
    begun: float
    log: Path
    log_start: int

    def page(self) -> bool:
        """Whether a person gets a page: / answers 200 after its redirects."""
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/", timeout=2) as answer:
                return bool(answer.status == 200 and b"<h1" in answer.read())
        except (OSError, urllib.error.URLError):
            return False

    def seconds_to_page(self) -> float:
        """Wait for the first good page."""
        while not self.page():
            if self.process.poll() is not None or time.monotonic() - self.begun > 60:
                raise SystemExit("no good page within 60 s; run `python manage.py up` to see why")
            time.sleep(0.02)
        return time.monotonic() - self.begun

    def family(self) -> list[psutil.Process]:
        """Return `up`, its children and the stores."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self) -> tuple[float, int]:
        """Return seconds to the end and how many processes are left."""
        family, begun = self.family(), time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        seconds = time.monotonic() - begun
        return seconds, sum(
            member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family
        )


def start(*arguments: str) -> Up:
    """Run `up` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(STORES)}
    environment |= {"CORTEX_DATA_DIR": str(DATA_DIR), "DJANGO_SETTINGS_MODULE": "cortex.settings.dev"}
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    path = DATA_DIR / "bench.log"
    with path.open("ab") as log:
        before = log.tell()
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), *arguments],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    return Up(process, port, begun, path, before)


def measure(*arguments: str) -> dict[str, float]:
    """Start in an empty folder, let it settle, stop, start again, idle, stop."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    up = start(*arguments)
    figures = {"first": up.seconds_to_page()}
    settle(up, arguments)
    up.stop()
    up = start(*arguments)
    figures["second"] = up.seconds_to_page()
    settle(up, arguments)
    time.sleep(IDLE_SECONDS)
    members = {member.pid: member.memory_full_info().pss / 2**20 for member in up.family()}
    figures["pss"] = sum(members.values())
    figures["processes"] = len(members)
    figures["stop"], figures["left"] = up.stop()
    return figures


def settle(up: Up, arguments: tuple[str, ...]) -> None:
    """Wait until the demo is loaded, or some seconds without one."""
    time.sleep(5)
    while "--demo" in arguments and b"sign in at" not in up.log.read_bytes()[up.log_start :]:
        if up.process.poll() is not None or time.monotonic() - up.begun > 180:
            raise SystemExit(f"the demo wasn't loaded within 180 s: see {up.log}")
        time.sleep(0.2)


def show(title: str, figures: dict[str, float]) -> bool:
    """Print the figures beside their goals; return whether all are met."""
    lines = [
        ("first start to first good page", "first", "s"),
        ("second start to first good page", "second", "s"),
        ("stop", "stop", "s"),
        (f"idle memory, PSS of {figures['processes']:.0f} processes", "pss", "MB"),
    ]
    print(title)
    for text, name, unit in lines:
        print(f"  {text:<40} {figures[name]:7.1f} {unit:<2}   goal {GOALS[name]:g} or less")
    print(f"  {'processes left after the stop':<40} {figures['left']:7.0f}      goal 0")
    print(f"  {json.dumps({name: round(value, 2) for name, value in figures.items()})}")
    return figures["left"] == 0 and all(figures[name] <= goal for name, goal in GOALS.items())


def main() -> int:
    """Measure `up` alone and with the demo; exit status 1 when a goal is missed."""
    found = {"up": measure(), "up --demo, as make run starts it": measure("--demo")}
    met = [show(title, figures) for title, figures in found.items()]
    keep("start", {"units": {"first, second, stop": "s", "pss": "MB"}, "goals": GOALS, "figures": found})
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
