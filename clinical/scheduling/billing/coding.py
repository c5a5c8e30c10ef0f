"""Which code fits so many minutes, and which codes don't go together (domain 6.3). Pure; sends nothing.

The codes are rows of a table; what is here are the rules over them, our policy [P] until a biller of the
organization has checked them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

# What an appointment or a session is, in the words of the codes.
SERVICES = {
    "session": "psychotherapy",
    "review": "psychotherapy",
    "therapy": "psychotherapy",
    "intake": "intake",
    "crisis": "crisis",
    "crisis_contact": "crisis",
    "family": "family",
    "group": "group",
    "no_show": "no_show",
}
# Of these several codes stand beside each other: each is another thing that was done. Of every other kind of
# service one sitting has one base code, which says what it was and how long; its add-ons stand beside it.
SIDE_BY_SIDE = frozenset({"measure", "safety"})
# Pairs of one person and provider on one day that payers refuse together.
CONFLICTS = (
    (frozenset({"90839", "90840"}), frozenset({"90832", "90833", "90834", "90836", "90837", "90838"})),
    (frozenset({"90791", "90792"}), frozenset({"90832", "90834", "90837", "90839"})),
)
CONFLICT, BASE_MISSING, TOO_SHORT, TOO_LONG = "conflict", "base_missing", "too_short", "too_long"


@dataclass(frozen=True, slots=True)
class Code:
    """One billing code as the rules see it; `most` None has no upper end."""

    code: str
    service: str
    least: int = 0
    most: int | None = None
    unit_minutes: int | None = None
    is_addon: bool = False
    requires: tuple[str, ...] = ()
    active_from: date | None = None
    active_to: date | None = None
    key: object = field(default=None, compare=False)

    def is_active(self, day: date) -> bool:
        """Whether the code may be used for a day."""
        begun = self.active_from is None or self.active_from <= day
        return begun and (self.active_to is None or day <= self.active_to)

    def fits(self, minutes: int) -> bool:
        """Whether so many minutes lie within it."""
        return minutes >= self.least and (self.most is None or minutes <= self.most)


@dataclass(frozen=True, slots=True)
class Suggested:
    """A code and how often it counts."""

    code: Code
    units: int


def suggest(service: str, minutes: int, codes: Iterable[Code], day: date) -> list[Suggested]:
    """Return what fits: the base code, then its time add-ons; nothing where no code does.

    Of several that fit, the one with the most minutes is meant: its lower end is nearest to the truth.
    """
    active = [one for one in codes if one.service == service and one.is_active(day)]
    bases = [one for one in active if not one.is_addon and one.fits(minutes)]
    if not bases:
        return _past_the_end(active, minutes)
    base = max(sorted(bases, key=lambda one: one.code), key=lambda one: one.least)
    return [Suggested(base, units_of(base, minutes))]


def _past_the_end(active: list[Code], minutes: int) -> list[Suggested]:
    """Return a base that ends before these minutes, with the add-on that counts the rest."""
    bases = [one for one in active if not one.is_addon and one.most is not None and one.most < minutes]
    for base in sorted(bases, key=lambda one: one.least, reverse=True):
        for addon in active:
            if addon.is_addon and base.code in addon.requires and addon.unit_minutes:
                rest = minutes - (base.most or 0)
                return [Suggested(base, 1), Suggested(addon, -(-rest // addon.unit_minutes))]
    return []


def units_of(code: Code, minutes: int) -> int:
    """Return how often a code counts: once, or once per full unit of its minutes."""
    if code.unit_minutes is None:
        return 1
    return max(minutes // code.unit_minutes, 1)


def warnings_of(code: Code, minutes: int, others: Iterable[str]) -> list[str]:
    """Return what speaks against a code: codes of `warning_words`, with the other code behind a colon."""
    there = sorted(set(others))
    found = [f"{CONFLICT}:{other}" for other in there if conflict(code.code, other)]
    if code.is_addon and code.requires and not set(code.requires) & set(there):
        found.append(f"{BASE_MISSING}:{'/'.join(code.requires)}"[:40])
    if minutes < code.least:
        found.append(TOO_SHORT)
    if code.most is not None and minutes > code.most:
        found.append(TOO_LONG)
    return found


def is_second(code: Code, other: Code) -> bool:
    """Whether a code says of one sitting what another one says already: the same, or a base of its kind."""
    are_bases = not (code.is_addon or other.is_addon) and code.service not in SIDE_BY_SIDE
    return code.code == other.code or (are_bases and code.service == other.service)


def conflict(one: str, other: str) -> bool:
    """Whether two codes are refused together."""
    return any((one in a and other in b) or (one in b and other in a) for a, b in CONFLICTS)


def warning_words(code: str) -> str:
    """Return a warning in words."""
    kind, _, other = code.partition(":")
    return {
        CONFLICT: f"Not together with {other} on one day",
        BASE_MISSING: f"Needs {' or '.join(other.split('/'))} on the same day",
        TOO_SHORT: "Fewer minutes than the code asks for",
        TOO_LONG: "More minutes than the code covers",
    }.get(kind, kind)
