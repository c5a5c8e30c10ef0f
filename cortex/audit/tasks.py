"""The daily walk over the whole trail; gathers the tasks of the features beside it."""

from __future__ import annotations

import logging

from celery import shared_task

from cortex.audit import system
from cortex.audit.actions import verify_trail
from cortex.audit.bulkreads import tasks as _bulkreads  # noqa: F401 (registers its task)
from cortex.ops.health import VERIFIED
from cortex.ops.queries import seconds_since

logger = logging.getLogger("cortex.audit")
DAILY_SECONDS = 23 * 3600
# A long chain takes its time; within the broker's visibility timeout, or the task would run twice.
LONGEST = {"soft_time_limit": 3300, "time_limit": 3400}


@shared_task(name="cortex.audit.tasks.verify_trail_daily", **LONGEST)
def verify_trail_daily() -> None:
    """Verify when the last walk is a day old; asked every minute, so that no night needs to be awake."""
    age = seconds_since(VERIFIED)
    if age is not None and age < DAILY_SECONDS:
        return
    verdict = verify_trail(actor=system("verify"))
    if verdict is not None and not verdict.holds:
        logger.error("The trail does not hold at link %s: %s.", verdict.bad_number, verdict.reason)
