"""`manage.py watchdog`: the process that checks every minute whether alerts arrive and escalate in time."""

import signal
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from crisis.watchdog.loop import Watchdog

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; two of them side by side take turns."""

    help = "Watch: every minute a canary must reach a real board, and no alert may be overdue."

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the rounds and stop them on a signal."""
        watchdog = Watchdog()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watchdog.stopping.set())
        log.info("watchdog_ready")
        watchdog.run()
