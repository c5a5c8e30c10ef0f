"""The class of every Celery task: one that was sent for a slot takes it before its work and ends it after."""

from __future__ import annotations

import re
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


# A task of a release of ours, also of one that this code doesn't know; `unreadable` has no name at all.
OWN_NAME = re.compile(r"unreadable|(cortex|patients|crisis|clinical)(\.[a-z_]{1,40}){1,6}")


def was_caught_up(task: Any) -> bool:
    """Whether the running message was sent by the sweeper because beat, or Redis, had let its slot fall."""
    return _carried(task, SENDER) == CATCH_UP


def _carried(task: Any, name: str) -> str | None:
    """Return what the running message carries; a worker's request has it as its own, an eager one inside."""
    found = getattr(task.request, name, None) or (task.request.headers or {}).get(name)
    return None if found is None else str(found)


def keep_letter(name: str, error_code: str) -> None:
    """Leave a dead letter of a message that has no slot: nobody would send it again, or hear of it."""
    from cortex.audit import system
    from cortex.clock import clock
    from cortex.ops.letters.actions import bury_slot

    bury_slot(actor=system("timetable"), job=name[:100], slot=clock(), error_code=error_code)


def give_up_unknown(name: str, message: Any) -> None:
    """Keep a letter of a task that this release does not have; a slot stays due and is sent again."""
    carried = getattr(message, "headers", None) or {}
    told = name_told(name)
    log.error("task_unknown", task=told, job=carried.get(JOB))
    if JOB not in carried:
        keep_letter(told, "NotRegistered")


def name_told(name: str) -> str:
    """Return a task's name where it can be one of ours: another may hold anybody's words."""
    return name if OWN_NAME.fullmatch(name or "") else "unknown"


class SlottedTask(Task):  # type: ignore[misc]
    """A task that runs each slot once; without a slot (called, or sent by hand) it simply runs.

    A message without a slot that fails, as one of another release with other arguments does, leaves a letter.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the work if its slot is free; return None when another message had it."""
        # Imported here: Celery loads this class before Django's apps are ready.
        from cortex.audit import system
        from cortex.ops.slots import actions

        job, said = _carried(self, JOB), _carried(self, SLOT)
        if job is None or said is None:
            try:
                return super().__call__(*args, **kwargs)
            except Exception as error:
                if not (self.request.called_directly or self.request.is_eager):
                    keep_letter(self.name, type(error).__name__)
                raise
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
