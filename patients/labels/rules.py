"""Which sensitivity labels are shut in which relationship (domain 7.4): the one rule, and no query."""

from __future__ import annotations

from collections.abc import Collection

from patients.registry.access import BREAK_GLASS, TEAM

# A single grant (consultation) opens no labelled row.
OF_THE_TEAM = frozenset({"R", "HIV", "GBV", "MINOR"})
PART2 = "SUD_PART2"
MAY_AGREE = TEAM | {BREAK_GLASS}
# Its author's alone, and for a trainee's note whoever co-signs it.
CLOSED = frozenset({"V", "PSYTHPN"})


def closed_to(relation: str, *, part2: bool) -> frozenset[str]:
    """Return the labels that are shut to somebody in this relationship.

    `part2`: the person agreed that Part 2 records serve treatment, payment and operations, or whoever looks
    by break-glass confirmed a second time that an emergency needs them.
    """
    shut = CLOSED if relation in TEAM else CLOSED | OF_THE_TEAM
    return shut if part2 and relation in MAY_AGREE else shut | {PART2}


def opens_part2(relation: str, part2: bool) -> bool:
    """Whether what concerns substance use is open in this relationship."""
    return PART2 not in closed_to(relation, part2=part2)


def needs_chart(labels: Collection[str]) -> bool:
    """Whether any of these labels is shut to whoever has no relationship that opens the chart."""
    return bool(closed_to("", part2=False) & set(labels))
