"""`manage.py sweep`: the process that runs due steps, links the trail and sends notifications."""

import signal
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from crisis.sweep.loop import Sweeper

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; two of them side by side share the work."""

    help = "Run the sweeper: due steps, owners, notifications and the audit chain, every second."

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the rounds and stop them on a signal."""
        sweeper = Sweeper()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sweeper.stopping.set())
        log.info("sweeper_ready")
        sweeper.run()
