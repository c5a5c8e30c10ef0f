"""A task that says for which slot it ran, and one that kills its worker."""

import os
import signal
from pathlib import Path
from typing import Any

from celery import shared_task


@shared_task(bind=True, name="tests.quick.tick")
def tick(self: Any) -> None:
    """Append the slot to the file that the test reads."""
    with Path(os.environ["QUICK_TIMETABLE_FILE"]).open("a") as lines:
        lines.write(f"{self.request.cortex_slot}\n")


@shared_task(name="tests.quick.poison")
def poison() -> None:
    """Kill -9 the process that runs it."""
    os.kill(os.getpid(), signal.SIGKILL)
