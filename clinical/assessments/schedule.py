"""When a measure is due again (domain 2.2); pure computation over dates. The spans are our policy [P]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

EVERY = timedelta(days=14)
LATER_EVERY = timedelta(days=28)
STABLE_EVERY = timedelta(days=90)
FIRST_WEEKS = timedelta(weeks=12)
# Overdue is a task after a week, and the clinician is told after three.
TASK_AFTER = timedelta(days=7)
TELL_AFTER = timedelta(days=21)
SCREENER = "cssrs"
INTAKE = ("phq9", "gad7", "who5", SCREENER)
ROUTINE = ("phq9", "gad7")
# Between sessions, for as long as somebody is in care.
WELLBEING = ("who5",)

# What is asked at a review of the plan, at the end of treatment, and when others take over.
OCCASIONS = {"review": ROUTINE, "discharge": (*ROUTINE, "cssrs"), "transfer": ("cssrs",)}


@dataclass(frozen=True, slots=True)
class Taken:
    """One completed administration, the newest last in a list."""

    at: datetime
    is_remission: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """Where one person's schedule of a measure differs: another interval, or a pause (`until` None: open).

    `since` is when that was said last; what held before it is not kept.
    """

    every: timedelta | None = None
    is_paused: bool = False
    until: datetime | None = None
    since: datetime | None = None

    def rests(self, at: datetime) -> bool:
        """Whether the measure is not asked for at a time."""
        return self.is_paused and (self.until is None or at < self.until)

    def rested(self, start: datetime, end: datetime) -> bool:
        """Whether the measure was not asked for in a part of a time."""
        return self.rests(start) and (self.since is None or self.since < end)


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides when one person's measures are due; every list in order of time."""

    began: datetime
    taken: Mapping[str, Sequence[Taken]] = field(default_factory=dict)
    own: Mapping[str, Own] = field(default_factory=dict)
    level: str = ""
    # Sittings with somebody; changes of who cares; answers and words that ask for a screener.
    contacts: Sequence[datetime] = ()
    transitions: Sequence[datetime] = ()
    signals: Sequence[datetime] = ()
    critical_at: datetime | None = None
    # When the plan is looked at together next; when treatment ended, or is being ended.
    review_at: datetime | None = None
    discharge_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When a measure is due, and why: a code of WHY."""

    key: str
    at: datetime
    why: str


WHY = {
    "intake": "first measures",
    "routine": "every 2 weeks, later every 4",
    "stable": "stable: every 90 days",
    "own": "this person's own interval",
    "signal": "item 9 or words that ask for it",
    "contact": "at each contact while the level is high",
    "after_critical": "after a critical event",
    "transition": "who cares for them has changed",
    "review": "for the review of the plan",
    "discharge": "at the end of treatment",
}
# Domain 2.2: a day, three days and a week after a critical event, then weekly, four times.
AFTER_CRITICAL = tuple(timedelta(days=days) for days in (1, 3, 7, 14, 21, 28, 35))
# A screener this shortly before such a time is the one that is meant.
COVERS = timedelta(hours=12)
# Totals of the last week are those that a review or the end of a treatment looks at [P].
FRESH = timedelta(days=7)
HIGH = ("high", "critical")
# When a place on a team begins and ends.
Place = tuple[datetime, datetime | None]


def ends_of(places: Iterable[Place]) -> list[datetime]:
    """Return when these places begin and end, oldest first."""
    return sorted(when for place in places for when in place if when is not None)


def transitions(places: Sequence[Place], began: datetime, at: datetime) -> list[datetime]:
    """Return when who cares has changed since the care that goes on began, that beginning among them.

    It began with the first of those who care now, whoever asks: a colleague who came later, or who stands in,
    is told what the others are. Where it is the first ever, the intake asks for the same.
    """
    running = [start for start, end in places if start <= at and (end is None or at < end)]
    since = min([began, *running])
    return [when for when in ends_of(places) if since <= when <= at]


def next_due(taken: Sequence[Taken], began: datetime) -> datetime:
    """Return when the next is due: fortnightly for 12 weeks, then monthly, quarterly when stable."""
    if not taken:
        return began
    return taken[-1].at + _every(taken, began)


def _every(taken: Sequence[Taken], began: datetime) -> timedelta:
    if is_stable(taken):
        return STABLE_EVERY
    return EVERY if taken[-1].at - began < FIRST_WEEKS else LATER_EVERY


def is_stable(taken: Sequence[Taken]) -> bool:
    """Whether the last two say remission."""
    return len(taken) >= 2 and all(one.is_remission for one in taken[-2:])


def due(facts: Facts, keys: Iterable[str], at: datetime) -> list[Due]:
    """Return when each of these measures is due next, the earliest first; paused ones are left out."""
    found = []
    for key in keys:
        own = facts.own.get(key, Own())
        if key in INTAKE and not own.rests(at):
            one = _screener(facts, own) if key == "cssrs" else _regular(facts, key, own)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: (one.at, one.key))


def _regular(facts: Facts, key: str, own: Own) -> Due:
    taken = facts.taken.get(key, ())
    if not taken:
        return Due(key, facts.began, "intake")
    usual = _usual(facts, key, own, taken)
    if key not in ROUTINE:
        return usual
    asked = [
        Due(key, when, why)
        for when, why in ((facts.review_at, "review"), (facts.discharge_at, "discharge"))
        if when is not None and taken[-1].at < when - FRESH
    ]
    return min([usual, *asked], key=lambda one: one.at)


def _usual(facts: Facts, key: str, own: Own, taken: Sequence[Taken]) -> Due:
    if own.every is not None:
        return Due(key, taken[-1].at + own.every, "own")
    if key in WELLBEING:
        return Due(key, taken[-1].at + EVERY, "routine")
    return Due(key, next_due(taken, facts.began), "stable" if is_stable(taken) else "routine")


def _screener(facts: Facts, own: Own) -> Due | None:
    """Return when the screener is due: it follows what happens, not the calendar."""
    taken = facts.taken.get("cssrs", ())
    if not taken:
        return Due("cssrs", facts.began, "intake")
    last = taken[-1].at
    asked = [(when, "signal") for when in facts.signals if when > last]
    asked += [(when, "transition") for when in facts.transitions if when - COVERS > last]
    if facts.level in HIGH:
        asked += [(when, "contact") for when in facts.contacts if when > last]
    if facts.discharge_at is not None and last < facts.discharge_at - COVERS:
        asked.append((facts.discharge_at, "discharge"))
    if facts.critical_at is not None:
        times = [facts.critical_at + after for after in AFTER_CRITICAL]
        asked += [(when, "after_critical") for when in times if when - COVERS > last][:1]
    if own.every is not None:
        asked.append((last + own.every, "own"))
    return Due("cssrs", *min(asked)) if asked else None


def ask_since(facts: Facts, alarms: Iterable[datetime], asked_at: datetime | None) -> datetime | None:
    """Return since when somebody is to be asked directly about suicide (domain 2.2), None once they were.

    It stands whether or not the screener can be asked here: at once on item 9 and on such words, after a
    critical event, at `alarms` (the level became high, such an alert was raised), and at each contact while
    the level is high. `asked_at` is when a clinician last asked without the screener.
    """
    screened = facts.taken.get(SCREENER, ())
    last = max([one.at for one in screened[-1:]] + [one for one in (asked_at,) if one], default=None)
    reasons = [*facts.signals, *alarms]
    if facts.critical_at is not None:
        reasons.append(facts.critical_at)
    if facts.level in HIGH:
        reasons += facts.contacts
    return min((when for when in reasons if last is None or when > last), default=None)


def missed(key: str, taken: Sequence[Taken], began: datetime, own: Own) -> set[datetime]:
    """Return the times of those of `taken` that came over a week later than the interval in force then says.

    What follows no calendar misses nothing, and a pause asks for nothing.
    """
    found = set()
    for number, (before, now) in enumerate(pairwise(taken), 1):
        # What was taken before those who care now came had a beginning of its own.
        start = began if before.at >= began else taken[0].at
        every = _in_force(key, taken[max(number - 2, 0) : number], start, own)
        late = every is not None and now.at - before.at > every + TASK_AFTER
        if late and not own.rested(before.at, now.at):
            found.add(now.at)
    return found


def _in_force(key: str, taken: Sequence[Taken], began: datetime, own: Own) -> timedelta | None:
    """Return the interval after the last of these; the longer of both where the own one came later."""
    usual = EVERY if key in WELLBEING else _every(taken, began) if key in ROUTINE else None
    if own.every is None or own.since is None or taken[-1].at >= own.since:
        return own.every or usual
    return None if usual is None else max(usual, own.every)
