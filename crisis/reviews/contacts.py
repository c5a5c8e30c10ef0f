"""What comes next when a person can't be reached (domain 3.9): pure computation over attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from crisis.reviews.models import ContactChannel

# [P] product policy, domain 3.9.
ENOUGH_TRIES = 3
ENOUGH_CHANNELS = 2
WITHIN = timedelta(hours=24)

# People are called by day, and no later than was promised (domain 3.9: within 24 hours, 72 hours, …).
PROPOSED_AT = time(14)
DAY = (time(9), time(18))

Attempt = tuple[datetime, str]


def proposed_first(at: datetime, zone: tzinfo) -> datetime:
    """Return when a first follow-up is proposed: by day in `zone`, within 24 hours, at 14:00 if that fits."""
    latest = by_day(at + WITHIN, zone).astimezone(zone)
    return min(latest, datetime.combine(latest.date(), PROPOSED_AT, zone))


def by_day(due: datetime, zone: tzinfo) -> datetime:
    """Return the last moment between 09:00 and 18:00 in `zone` that is not later than a promised time."""
    local = due.astimezone(zone)
    begins, ends = (datetime.combine(local.date(), one, zone) for one in DAY)
    if local < begins:
        ends = datetime.combine(local.date() - timedelta(days=1), DAY[1], zone)
    return min(local, ends).astimezone(UTC)


def next_step(attempts: Sequence[Attempt], *, may_ring_contact: bool) -> str:
    """Return in a sentence what to do next; `attempts` are (when, channel) of contacts that nobody answered.

    Three tries within a day on two channels or more, then the emergency contact, then the supervisor.
    """
    own = sorted(one for one in attempts if one[1] != ContactChannel.EMERGENCY_CONTACT)
    if len(own) < len(attempts):
        return "Next: a supervisor decides on a welfare check. The emergency contact was asked already."
    if _is_enough(own):
        if may_ring_contact:
            return "Next: ring the emergency contact; the person agreed to it. Then a supervisor decides."
        return (
            "Next: a supervisor decides on a welfare check. There is no consent to ring the emergency "
            "contact: only if a life is at risk."
        )
    return (
        f"Next: try again. {ENOUGH_TRIES} tries within 24 hours on {ENOUGH_CHANNELS} channels or more are "
        f"needed before anybody else is asked; so far {_words(own)}."
    )


def _is_enough(attempts: Sequence[Attempt]) -> bool:
    """Whether some 24 hours hold enough tries on enough channels."""
    for start, _ in attempts:
        window = [channel for at, channel in attempts if start <= at <= start + WITHIN]
        if len(window) >= ENOUGH_TRIES and len(set(window)) >= ENOUGH_CHANNELS:
            return True
    return False


def _words(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return "none"
    channels = len({channel for _, channel in attempts})
    return f"{len(attempts)} on {channels} channel{'s' if channels > 1 else ''}"
