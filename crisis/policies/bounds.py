"""How short and how long the clocks of a level may be, in seconds; pure."""

from __future__ import annotations

from crisis.policies.chain import MEDIUM, URGENT

# Nobody may set a clock longer than this: the slowest sensible target of each.
LONGEST = {
    "acknowledge_seconds": 3600,
    "contact_seconds": 14400,
    "disposition_seconds": 86400,
    "confirm_seconds": 120,
    "warn_claim_seconds": 3600,
    "release_claim_seconds": 7200,
    "check_in_seconds": 3600,
    "owner_gone_seconds": 1800,
    "repeat_seconds": 1800,
}
# Where somebody is in danger now or waits for a voice, the repeats of the chain and the claim come sooner.
SOONER = {"repeat_seconds": 600, "acknowledge_seconds": 600}
# Nor shorter: a claim that is taken away while its owner dials leaves the person to nobody, and calls that
# repeat every second are calls that nobody hears any more.
SHORTEST = {
    "acknowledge_seconds": 30,
    "contact_seconds": 60,
    "disposition_seconds": 300,
    "confirm_seconds": 10,
    "warn_claim_seconds": 60,
    "release_claim_seconds": 120,
    "check_in_seconds": 300,
    "owner_gone_seconds": 60,
    "repeat_seconds": 60,
}
# The clocks of a medium level, which opens no alert; its row has no others.
LONGEST_MEDIUM = {"acknowledge_seconds": 172800, "contact_seconds": 432000, "repeat_seconds": 86400}
SHORTEST_MEDIUM = {"acknowledge_seconds": 3600, "contact_seconds": 3600, "repeat_seconds": 900}


def bounds_of(name: str, level: str) -> tuple[int, int] | None:
    """Return the shortest and the longest that a clock of a level may be, or None where it has no such."""
    if level == MEDIUM:
        return (SHORTEST_MEDIUM[name], LONGEST_MEDIUM[name]) if name in LONGEST_MEDIUM else None
    if name not in LONGEST:
        return None
    sooner = SOONER if level in URGENT else {}
    return SHORTEST[name], sooner.get(name, LONGEST[name])


def span(name: str, level: str) -> str:
    """Return the bounds as a form and a refusal say them; empty where the level has no such clock."""
    bounds = bounds_of(name, level)
    return f"Between {bounds[0]} and {bounds[1]} seconds." if bounds else ""
