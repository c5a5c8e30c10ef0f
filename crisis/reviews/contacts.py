"""What comes next when a person can't be reached (domain 3.9): pure computation over attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from crisis.reviews.models import ContactChannel

# [P] product policy, domain 3.9.
ENOUGH_TRIES = 3
ENOUGH_CHANNELS = 2
WITHIN = timedelta(hours=24)
# So long the emergency contact may be rung before a supervisor is asked without it: nobody waits on a call
# that nobody makes.
CONTACT_WITHIN = timedelta(hours=2)

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


class Contact(StrEnum):
    """How it stands with the emergency contact of somebody whom no try reached."""

    TRIED = "tried"
    MAY_RING = "may_ring"
    CLOSED = "closed"
    NOBODY = "nobody"


def contact_state(attempts: Sequence[Attempt], *, allowed: bool, on_record: bool) -> Contact:
    """Return whether the emergency contact was tried, may be rung, is closed without consent, or is missing.

    `allowed` is the person's consent or a running exception from it, `on_record` whether there is anybody.
    """
    if any(channel == ContactChannel.EMERGENCY_CONTACT for _, channel in attempts):
        return Contact.TRIED
    if not on_record:
        return Contact.NOBODY
    return Contact.MAY_RING if allowed else Contact.CLOSED


def supervisor_at(attempts: Sequence[Attempt], contact: Contact, at: datetime) -> datetime | None:
    """Return when a supervisor is asked to decide on a welfare check; None while more tries are needed."""
    if not _is_enough(_own(attempts)):
        return None
    return at + CONTACT_WITHIN if contact is Contact.MAY_RING else at


def next_step(attempts: Sequence[Attempt], contact: Contact, *, is_asked: bool = False) -> str:
    """Return in a sentence what to do next; `attempts` are (when, channel) of contacts that nobody answered.

    Three tries within a day on two channels or more, then the emergency contact, then the supervisor;
    `is_asked` says that a supervisor was asked by now.
    """
    own = _own(attempts)
    if is_asked:
        return "A supervisor was asked to decide on a welfare check. Keep trying meanwhile."
    if _is_enough(own):
        if contact is Contact.TRIED:
            return "Next: a supervisor decides on a welfare check. The emergency contact was asked already."
        if contact is Contact.MAY_RING:
            return (
                "Next: ring the emergency contact; the person agreed to it. Then a supervisor decides, in "
                "two hours at the latest."
            )
        if contact is Contact.NOBODY:
            return "Next: a supervisor decides on a welfare check. No emergency contact is on record."
        return (
            "Next: a supervisor decides on a welfare check. There is no consent to ring the emergency "
            "contact: only if a life is at risk."
        )
    return (
        f"Next: try again. {ENOUGH_TRIES} tries within 24 hours on {ENOUGH_CHANNELS} channels or more are "
        f"needed before anybody else is asked; so far {_words(own)}."
    )


def _own(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the tries to reach the person, without those to reach somebody who stands for them."""
    return sorted(one for one in attempts if one[1] != ContactChannel.EMERGENCY_CONTACT)


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
