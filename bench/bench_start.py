"""`make bench-start`: first and second start to the first good page, stop, idle memory."""

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

ROOT = Path(__file__).resolve().parents[1]
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
    with (DATA_DIR / "bench.log").open("ab") as log:
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), *arguments],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    return Up(process, port, begun)


def measure() -> dict[str, float]:
    """Start in an empty folder, stop, start again, idle, stop."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    up = start()
    figures = {"first": up.seconds_to_page()}
    time.sleep(5)
    up.stop()
    up = start()
    figures["second"] = up.seconds_to_page()
    time.sleep(IDLE_SECONDS)
    members = {member.pid: member.memory_full_info().pss / 2**20 for member in up.family()}
    figures["pss"] = sum(members.values())
    figures["processes"] = len(members)
    figures["stop"], figures["left"] = up.stop()
    return figures


def main() -> int:
    """Print the figures beside their goals; exit status 1 when one is missed."""
    figures = measure()
    lines = [
        ("first start to first good page", "first", "s"),
        ("second start to first good page", "second", "s"),
        ("stop", "stop", "s"),
        (f"idle memory, PSS of {figures['processes']:.0f} processes", "pss", "MB"),
    ]
    for text, name, unit in lines:
        print(f"{text:<40} {figures[name]:7.1f} {unit:<2}   goal {GOALS[name]:g} or less")
    print(f"{'processes left after the stop':<40} {figures['left']:7.0f}      goal 0")
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    return int(figures["left"] > 0 or any(figures[name] > goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main())
