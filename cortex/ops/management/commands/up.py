"""`manage.py up`: the whole system with one command, from the embedded stores to the simulator."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from cortex.ops import children, startup
from cortex.ops.disk import full, is_full
from cortex.ops.embedded import EmbeddedStores, prepare_folder
from cortex.ops.processes import StartRefused
from cortex.ops.supervisor import Supervisor

FIRST = ["watchdog", "simulator", "demo", "beat", "web"]
LAST = ["worker", "sweeper"]


class Command(BaseCommand):
    """Start what isn't configured, serve, and stop in order."""

    help = "Starts stores, pages, worker, beat, sweeper and watchdog, and stops them together."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address and whether to show the demo."""
        parser.add_argument(
            "--demo", action="store_true", help="load fictional people once and keep them busy"
        )
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until asked to stop."""
        if not hasattr(settings, "CORTEX_EMBEDDED_CLUSTERS"):
            raise CommandError("`up` is for one machine: in production each process has its own unit.")
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal in the language C must not lose a line over one letter.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            House(options["host"], options["port"], demo=options["demo"]).run()
        except StartRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except (OSError, DatabaseError) as error:
            if not is_full(error):
                raise
            raise CommandError(full(Path(settings.CORTEX_DATA_DIR))) from error


class House:
    """One run of `up`."""

    def __init__(self, host: str, port: int, *, demo: bool) -> None:
        self.host, self.port, self.demo = host, port, demo
        self.data_dir = Path(settings.CORTEX_DATA_DIR)
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::1", "::") else host  # noqa: S104
        self.address = f"http://{shown}:{port}/"
        self.stores = EmbeddedStores(self.data_dir)
        self.warnings: list[str] = []
        self.supervisor = Supervisor(say, changed=self.note_state)

    def run(self) -> None:
        """Start everything, web first, and stop everything whatever happens."""
        prepare_folder(self.data_dir)
        with (
            startup.take_lock(self.data_dir) as lock,
            contextlib.closing(startup.listen(self.host, self.port)) as port,
        ):
            self.supervisor.parents_own = [lock.fileno()]
            self.supervisor.listener = port.fileno()
            self.supervisor.listen_to_signals()
            for name in startup.end_leftovers(self.data_dir):
                say("up", f"ended {name}, which a killed run had left behind.")
            with self.running_stores():
                self.prepare()
                try:
                    self.serve(port)
                finally:
                    self.stop()

    @contextlib.contextmanager
    def running_stores(self) -> Iterator[None]:
        """Run the embedded stores that nobody configured; they end last."""
        clusters, redis = settings.CORTEX_EMBEDDED_CLUSTERS, settings.CORTEX_EMBEDDED_REDIS
        self.stores.start(clusters=clusters, redis=redis)
        self.supervisor.watched.append(self.watch_stores)
        names = [*(f"PostgreSQL ({name})" for name in clusters), *(["Redis"] if redis else [])]
        if names:
            say("up", f"{', '.join(names)} ready in {self.stores.home}.")
        try:
            yield
        finally:
            self.stores.stop()
            say("up", "stopped; everything is kept for the next start.")

    def prepare(self) -> None:
        """Migrate when something is missing, and import once what all children share."""
        for alias in startup.migrate():
            say("up", f"migrated the database {alias}.")
        startup.months_ahead()
        self.warnings = startup.missing_backups()
        if startup.collect_static(self.data_dir):
            say("up", "prepared the static files.")
        connections.close_all()
        if self.host not in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::"):  # noqa: S104
            settings.ALLOWED_HOSTS.append(self.host)
        if "CORTEX_PUBLIC_URL" not in os.environ:
            # Links in mails and the simulator follow the port that was chosen here.
            settings.CORTEX_PUBLIC_URL = self.address.rstrip("/")
        children.warm_up()

    def serve(self, listener: Any) -> None:
        """Start the web, then the rest once it answers; then watch."""
        self.supervisor.start(children.web(listener))
        self.supervisor.run(until=lambda: startup.answers(self.host, self.port))
        if self.supervisor.stopping:
            return
        say("up", f"ready after {startup.stopwatch():.1f} s: {self.address}")
        for warning in self.warnings:
            say("up", warning)
        self.supervisor.start(children.command("sweep", child="sweeper"))
        self.supervisor.start(children.command("watchdog", child="watchdog"))
        self.supervisor.start(children.worker())
        self.supervisor.start(children.beat(self.data_dir))
        if self.demo:
            self.show_demo()
        self.supervisor.run()

    def show_demo(self) -> None:
        """Load what is missing of the demo, show its sign-ins, then keep its people busy."""
        self.supervisor.on_end["demo"] = self.demo_ready
        self.supervisor.start(children.command("demo", child="demo", once=True))

    def demo_ready(self, code: int) -> None:
        """Say where to sign in, or that loading failed."""
        if code:
            say("up", f"the demo couldn't be loaded (exit status {code}); the product runs without it.")
            return
        say("up", f"sign in at {self.address} as one of them; `manage.py demo --sign-ins` shows them again.")
        self.supervisor.start(children.command("simulate", child="simulator"))

    def stop(self) -> None:
        """End the talkers first, then those who work off what they started."""
        say("up", "stopping…")
        self.supervisor.stop(FIRST, 1.5)
        self.supervisor.stop(LAST, 2.8)

    def watch_stores(self) -> None:
        """Bring back a store that ended by itself, and say so."""
        for line in self.stores.watch():
            say("up", line)
            self.note_state()

    def note_state(self) -> None:
        """Keep the process ids where the next start finds them."""
        startup.write_state(self.data_dir, self.address, self.supervisor.pids() | self.stores.pids())


def say(name: str, line: str) -> None:
    """Print one line with who says it; a closed terminal is no reason to stop."""
    try:
        sys.stdout.write(f"{name:<10}| {line}\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        pass
