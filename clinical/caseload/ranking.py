"""The order of a caseload: by need, not by name; pure computation over what is known of each person.

The groups and spans are our policy [P]: an open alert or a rise, off the expected course, something overdue,
something that waits for an answer or a level that stands high, nobody heard from them, steady, and who was
ticked off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

SILENT_AFTER = timedelta(days=14)
# So long a review of whose level stands so high is one: domain 6.1's, of a plan.
REVIEWED_FOR = {"critical": timedelta(days=7), "high": timedelta(days=14)}
# Before every level, within its group.
CALLED = 9
LEVELS = {"critical": 4, "high": 3, "medium": 2, "low": 1, "": 0}
GROUPS = (
    (
        "alert",
        "Look at first",
        "An alert is open or has ended, or the level has risen, since you last looked.",
    ),
    ("off_track", "Not on track", "A measure is off the course that our policy expects."),
    (
        "overdue",
        "Overdue",
        "A measure, a task, a contact, a first step or the plan's review is past its time.",
    ),
    (
        "waiting",
        "Waits for you",
        "A task is open, a contact is for today, care begins or the level stands high, the oldest first.",
    ),
    ("silent", "Nothing heard", "No message, check-in or session for two weeks."),
    ("steady", "Steady", "Nothing asks for you now."),
    ("reviewed", "Reviewed", "You have reviewed them, and nothing new came since."),
)

# In these nobody asks for the reader.
QUIET = ("steady", "reviewed")


@dataclass(frozen=True, slots=True)
class Need:
    """What is known of one person that decides their place."""

    level: str = ""
    alert_level: str = ""
    alert_reason: str = ""
    level_since: datetime | None = None
    level_rose_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    off_track: tuple[str, ...] = ()
    overdue: tuple[tuple[str, datetime], ...] = ()
    # Contacts promised after a crisis that are due today or were, with when.
    called: tuple[tuple[str, datetime], ...] = ()
    waiting: tuple[tuple[str, datetime], ...] = ()
    last_heard: datetime | None = None
    looked_at: datetime | None = None
    reviewed_at: datetime | None = None
    newest_at: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands: the group, why in one sentence, and the order within the group."""

    group: str
    why: str
    order: tuple[float, ...] = field(default=())


def place(need: Need, at: datetime) -> Place:
    """Return somebody's place; who was reviewed, and of whom nothing new came since, stands by themself."""
    level = LEVELS[need.level]
    if need.alert_level:
        said = f"{need.alert_reason}. " if need.alert_reason else ""
        words = f"{said}An alert is open, {need.alert_level}."
        return Place("alert", words, (-LEVELS[need.alert_level], -level))
    if _rose(need):
        return Place("alert", f"The level rose to {need.level}.", (-level, 0.0))
    found = _without_review(need, at)
    if is_reviewed(need, at):
        words = "You reviewed this person." if found.group == "steady" else found.why
        return Place("reviewed", words, (-float(level),))
    return found


def _without_review(need: Need, at: datetime) -> Place:
    level = LEVELS[need.level]
    if need.ended_at is not None and _is_after(need.ended_at, need.looked_at):
        by = f" by {need.ended_by}" if need.ended_by else ""
        return Place("alert", f"An alert was ended{by} since you looked.", (0.0, -float(level)))
    call, due = min(need.called, key=lambda pair: pair[1], default=("", at))
    if call and due <= at:
        # Somebody was in danger and was promised it: it is named before what is late for longer.
        return Place("overdue", f"{call}, overdue for {_days(at - due)}.", (-CALLED, due.timestamp()))
    if need.off_track:
        return Place("off_track", f"{_join(need.off_track)} not on track.", (-level,))
    if need.overdue:
        title, due = min(need.overdue, key=lambda pair: pair[1])
        return Place("overdue", f"{title}, overdue for {_days(at - due)}.", (-level, due.timestamp()))
    if call:
        return Place("waiting", f"{call}, today.", (0.0, due.timestamp()))
    if need.waiting:
        title, asked = min(need.waiting, key=lambda pair: pair[1])
        return Place("waiting", f"{title}.", (asked.timestamp(),))
    if need.level in REVIEWED_FOR:
        # Nobody's danger is nothing because no alert of it is open and somebody looked once.
        since = need.level_since or need.since or at
        words = f"The level has stood at {need.level} for {_days(at - since)}."
        return Place("waiting", words, (since.timestamp(),))
    heard = need.last_heard or need.since
    if heard is not None and at - heard >= SILENT_AFTER:
        return Place("silent", f"Nothing heard for {_days(at - heard)}.", (heard.timestamp(),))
    return Place("steady", "Nothing asks for you now.", (0.0, -float(level)))


def is_reviewed(need: Need, at: datetime) -> bool:
    """Whether the last review stands: nothing came after it, it isn't that nothing comes for too long, and a
    level that stands high was reviewed lately.
    """
    if need.reviewed_at is None or (need.newest_at is not None and need.newest_at > need.reviewed_at):
        return False
    if need.level in REVIEWED_FOR and at - need.reviewed_at >= REVIEWED_FOR[need.level]:
        return False
    return at - max(filter(None, (need.last_heard, need.reviewed_at))) < SILENT_AFTER


def _rose(need: Need) -> bool:
    """Whether the level rose since the reader looked; to medium only of those whom they have looked at."""
    if need.level_rose_at is None or not _is_after(need.level_rose_at, need.looked_at):
        return False
    return LEVELS[need.level] > LEVELS["medium"] or need.looked_at is not None


def _is_after(moment: datetime, seen: datetime | None) -> bool:
    return seen is None or moment > seen


def _join(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _days(span: timedelta) -> str:
    days = max(span.days, 0)
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"
