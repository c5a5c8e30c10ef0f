"""Taking, ending and sending of slots, in short transactions: the work itself stands between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cortex.audit import Actor, RuleBroken, quiet
from cortex.clock import clock
from cortex.ops.letters.actions import bury_slot
from cortex.ops.letters.queries import has_open_task
from cortex.ops.slots.models import ScheduledJob, ScheduledSlot, SlotState
from cortex.ops.slots.timetable import Entry, newest_slot, slots_between

# So often a slot is begun before it is given up; once only while its job has a letter that nobody looked at.
MOST_TRIES = 5
# Beat and worker get so long before somebody else sends a slot.
GRACE = timedelta(seconds=90)
# A beat's machine may be so much ahead of the database.
AHEAD = timedelta(seconds=30)
# After an outage so many days of slots are owed, and the newest of each job however old it is.
LOOK_BACK = timedelta(days=1)
FIRST_PAUSE = timedelta(minutes=1)
FIRST_RESEND = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
WORKER_LOST = "WorkerLost"


@quiet("whose turn a scheduled job is; the work records itself")
def take_slot(
    *, actor: Actor, job: str, slot: datetime, message: str, lease: timedelta, at: datetime | None = None
) -> bool:
    """Take a slot for one message before its work; return whether the work may begin.

    It may not when the slot was done, is being done, or was begun too often: that is a dead letter then. Nor
    when its time is still to come: whoever sent it has a wrong clock, and the work would be missing then.
    """
    now = clock(at)
    if slot > now + AHEAD:
        return False
    fresh = ScheduledSlot(job=job, slot=slot, send_at=now)
    ScheduledSlot.objects.bulk_create([fresh], ignore_conflicts=True)
    row = ScheduledSlot.objects.select_for_update().get(job=job, slot=slot)
    if not row.is_free(message, now):
        return False
    if row.tries >= _most_tries(job):
        # Its worker died each time: nobody was left to say so.
        _bury(actor, row, WORKER_LOST, now)
        return False
    row.tries += 1
    row.state, row.begun_by = SlotState.BEGUN, message[:64]
    row.begun_at, row.lease_until = now, now + lease
    row.send_at = row.lease_until
    row.save()
    return True


@quiet("that a scheduled job was done; the work records itself")
def finish_slot(*, actor: Actor, job: str, slot: datetime, message: str, at: datetime | None = None) -> bool:
    """Mark a slot done by the message that has it; False when another took it over meanwhile."""
    now = clock(at)
    mine = ScheduledSlot.objects.filter(job=job, slot=slot, state=SlotState.BEGUN, begun_by=message[:64])
    done = mine.update(state=SlotState.DONE, done_at=now, error_code="", updated_at=now)
    return bool(done)


@quiet("that a scheduled job failed; a dead letter is recorded")
def fail_slot(
    *, actor: Actor, job: str, slot: datetime, message: str, error_code: str, at: datetime | None = None
) -> bool:
    """Let a slot that failed wait for its next try, longer each time; return whether it was given up."""
    now = clock(at)
    row = ScheduledSlot.objects.select_for_update().get(job=job, slot=slot)
    if row.state != SlotState.BEGUN or row.begun_by != message[:64]:
        return False
    if row.tries >= _most_tries(job):
        _bury(actor, row, error_code, now)
        return True
    row.state, row.error_code = SlotState.WAITING, error_code[:64]
    row.lease_until = None
    row.send_at = now + min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
    row.save()
    return False


@quiet("rows for what the timetable says; no one's care")
def open_slots(*, actor: Actor, entries: Mapping[str, Entry], at: datetime | None = None) -> int:
    """Make a row for each slot whose time has passed and that nobody began; return how many were owed.

    A job that is new, or whose schedule changed, owes nothing from before.
    """
    now = clock(at)
    until = now - GRACE
    first = [
        ScheduledJob(name=entry.name, schedule=entry.text, seen_until=until) for entry in entries.values()
    ]
    ScheduledJob.objects.bulk_create(first, ignore_conflicts=True)
    owed: list[ScheduledSlot] = []
    # In one order, so that two sweepers don't wait for each other.
    for job in ScheduledJob.objects.select_for_update().filter(name__in=entries).order_by("name"):
        entry = entries[job.name]
        if job.schedule != entry.text:
            job.schedule, job.seen_until = entry.text, until
        elif job.seen_until < until:
            slots = slots_between(entry.schedule, max(job.seen_until, until - LOOK_BACK), until)
            newest = newest_slot(entry.schedule, until)
            if not slots and newest > job.seen_until:
                slots = [newest]
            owed += [ScheduledSlot(job=job.name, slot=slot, send_at=now) for slot in slots]
            job.seen_until = until
        job.save(update_fields=["schedule", "seen_until", "updated_at"])
    # Nobody does what has left the timetable; a day, since a release may bring two timetables for a while.
    gone = ScheduledSlot.objects.undone().exclude(job__in=entries).filter(slot__lt=until - LOOK_BACK)
    gone.exclude(state=SlotState.BEGUN, lease_until__gt=now).delete()
    before = set(_known(owed))
    ScheduledSlot.objects.bulk_create(owed, ignore_conflicts=True)
    return len({(row.job, row.slot) for row in owed} - before)


@quiet("when a slot was sent again; no one's care")
def note_sent(*, actor: Actor, job: str, slot: datetime, at: datetime | None = None) -> None:
    """Say that a slot was sent, and when to send it once more if nobody begins it."""
    now = clock(at)
    row = ScheduledSlot.objects.undone().select_for_update().filter(job=job, slot=slot).first()
    if row is None or row.send_at > now:
        return
    row.send_at = now + min(FIRST_RESEND * 2 ** min(row.sends, 10), LONGEST_PAUSE)
    row.sends += 1
    row.save(update_fields=["send_at", "sends", "updated_at"])


@quiet("that a slot is due once more; that somebody wished it is recorded")
def retry_slot(actor: Actor, letter: Any, at: datetime) -> None:
    """Let the slot of a dead letter be tried anew, at once; raise RuleBroken when its row has left."""
    dead = ScheduledSlot.objects.filter(job=letter.name, slot=letter.slot, state=SlotState.DEAD)
    revived = dead.update(
        state=SlotState.WAITING, tries=0, sends=0, send_at=at, lease_until=None, begun_by="", updated_at=at
    )
    if not revived:
        raise RuleBroken("That slot is no longer on record: set the letter aside.", "slot_gone")


@quiet("old rows of the timetable, no one's care")
def drop_slots(*, actor: Actor, before: datetime) -> int:
    """Delete the rows of slots before a time that were done or given up; return how many."""
    ended = ScheduledSlot.objects.filter(state__in=(SlotState.DONE, SlotState.DEAD), slot__lt=before)
    return ended.delete()[0]


def _known(rows: list[ScheduledSlot]) -> list[tuple[str, datetime]]:
    if not rows:
        return []
    found: Any = ScheduledSlot.objects.filter(
        job__in={row.job for row in rows}, slot__gte=min(row.slot for row in rows)
    )
    return list(found.values_list("job", "slot"))


def _most_tries(job: str) -> int:
    """A poisoned job whose letter waits must not cost five workers a minute."""
    return 1 if has_open_task(job) else MOST_TRIES


def _bury(actor: Actor, row: ScheduledSlot, error_code: str, now: datetime) -> None:
    row.state, row.error_code = SlotState.DEAD, error_code[:64]
    row.save(update_fields=["state", "error_code", "updated_at"])
    bury_slot(actor=actor, job=row.job, slot=row.slot, error_code=error_code, at=now)
