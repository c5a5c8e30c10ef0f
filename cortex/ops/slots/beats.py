"""Celery's beat, which says with each message for which slot it is."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from typing import Any

from celery.beat import PersistentScheduler

from cortex.ops.slots.tasking import BEAT, headers
from cortex.ops.slots.timetable import newest_slot


class SlotScheduler(PersistentScheduler):  # type: ignore[misc]
    """Sends what is due as ever; two of these name the same slot, and one of their messages does nothing."""

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """Send one entry with its job and slot."""
        entry = self.reserve(entry) if advance else entry
        if entry.name in self.app.conf.beat_schedule:
            slot = newest_slot(entry.schedule, datetime.now(UTC))
            entry = copy(entry)
            own = headers(entry.name, slot, BEAT)
            entry.options = {**entry.options, "headers": {**entry.options.get("headers", {}), **own}}
        return super().apply_async(entry, producer=producer, advance=False, **kwargs)
