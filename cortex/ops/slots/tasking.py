"""The class of every Celery task: one that was sent for a slot takes it before its work and ends it after."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import Task

log = structlog.get_logger(__name__)

JOB, SLOT, SENDER = "cortex_job", "cortex_slot", "cortex_sender"
BEAT, CATCH_UP = "beat", "catch-up"
# A worker is killed at the hard limit; only then, and a little later, may another begin its slot.
MARGIN = timedelta(seconds=60)


def headers(job: str, slot: datetime, sender: str) -> dict[str, str]:
    """Return what a message for a slot carries."""
    return {JOB: job, SLOT: slot.isoformat(), SENDER: sender}


def was_caught_up(task: Any) -> bool:
    """Whether the running message was sent by the sweeper because beat, or Redis, had let its slot fall."""
    return _carried(task, SENDER) == CATCH_UP


def _carried(task: Any, name: str) -> str | None:
    """Return what the running message carries; a worker's request has it as its own, an eager one inside."""
    found = getattr(task.request, name, None) or (task.request.headers or {}).get(name)
    return None if found is None else str(found)


class SlottedTask(Task):  # type: ignore[misc]
    """A task that runs each slot once; without a slot (called, or sent by hand) it simply runs."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the work if its slot is free; return None when another message had it."""
        # Imported here: Celery loads this class before Django's apps are ready.
        from cortex.audit import system
        from cortex.ops.slots import actions

        job, said = _carried(self, JOB), _carried(self, SLOT)
        if job is None or said is None:
            return super().__call__(*args, **kwargs)
        own: dict[str, Any] = {"actor": system("timetable"), "job": job, "message": str(self.request.id)}
        own["slot"] = datetime.fromisoformat(said)
        limit = float(self.time_limit or self.app.conf.task_time_limit)
        if not actions.take_slot(**own, lease=timedelta(seconds=limit) + MARGIN):
            log.info("slot_not_free", job=job, slot=said)
            return None
        try:
            result = super().__call__(*args, **kwargs)
        except Exception as error:
            died = actions.fail_slot(**own, error_code=type(error).__name__)
            log.error("slot_failed", job=job, slot=said, error=type(error).__name__, dead=died)
            raise
        if not actions.finish_slot(**own):
            log.error("slot_taken_over", job=job, slot=said)
        return result
