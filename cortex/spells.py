"""What is saved as it is written: each open page is a spell with a name, and numbers its saves; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol
from uuid import UUID

from cortex.ids import uuid7


class Kept(Protocol):
    """A row that remembers which page saved it last, and that page's newest save."""

    @property
    def spell(self) -> UUID | None: ...

    @property
    def spell_number(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Which save of which open page this is; unnamed it is the first of a page of its own."""

    spell: UUID = field(default_factory=uuid7)
    number: int = 1


class Arrival(Enum):
    """How a save arrives at its row."""

    BEGINS = auto()  # another page begins to write, and has seen the newest
    GOES_ON = auto()  # the page that saved last saves again
    AGAIN = auto()  # its newest save once more: the answer was lost, or a page was gone back to
    LATE = auto()  # one that a newer save of the same page has overtaken
    STALE = auto()  # another page, which hasn't seen the newest: it may take the place of nothing


def arrival(row: Kept, page: Page, *, knows_newest: bool) -> Arrival:
    """Return how a save arrives; its own page needs no newest version, since an answer may have been lost."""
    if row.spell != page.spell:
        return Arrival.BEGINS if knows_newest else Arrival.STALE
    if page.number > row.spell_number:
        return Arrival.GOES_ON
    return Arrival.AGAIN if page.number == row.spell_number else Arrival.LATE
