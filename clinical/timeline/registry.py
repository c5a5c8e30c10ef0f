"""The shape of a timeline's entries and the list of sources that features add theirs to; no query here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

from clinical.plans.labels import Shut
from clinical.sessions.labels import Reach
from cortex.access.context import AccessContext
from cortex.clock import steady_now
from cortex.horizon import is_far
from patients.registry.models import Patient

# Above every id: a cursor of a day's end stands after all that came on it.
LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in a timeline: entries of the same moment stand in the order of source and id."""

    at: datetime
    source: str
    id: UUID

    @classmethod
    def end_of_day(cls, day: date, zone: tzinfo) -> Cursor:
        """Return the place after everything of a day in a zone."""
        return cls(datetime.combine(day, time.min, zone) + timedelta(days=1), "", LAST)

    @property
    def is_day_end(self) -> bool:
        """Whether nothing was shown before it: it is where the first page up to a day begins."""
        return self.id == LAST

    def text(self) -> str:
        """Return what an address holds: a time, a code and an id."""
        return f"{self.at.isoformat()}~{self.source}~{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """Return the cursor that an address holds; None for anything else."""
        parts = text.replace(" ", "+").split("~")
        if len(parts) != 3:
            return None
        try:
            at, identifier = parse_datetime(parts[0]), UUID(parts[2])
        except ValueError:
            return None
        if at is None or at.tzinfo is None or is_far(at, steady_now()):
            return None
        return cls(at, parts[1], identifier)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a machine says: who said it, with its version, and how sure it is, in words."""

    kind: str
    code: str
    said_by: str
    confidence: str


@dataclass(slots=True)
class Entry:
    """One line of a timeline. `is_day` shows the day alone; `steps` are (time, words, who), folded.

    `words_url` is where sealed words of it open on request.
    """

    source: str
    kind: str
    id: UUID
    at: datetime
    title: str
    detail: str = ""
    by: str = ""
    icon: str = "history"
    tone: str = ""
    level: str = ""
    url: str = ""
    words_url: str = ""
    is_day: bool = False
    finding: Finding | None = None
    steps: list[tuple[datetime, str, str]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    is_pinned: bool = False

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        return Cursor(self.at, self.source, self.id)

    def says(self, words: str) -> bool:
        """Whether its words hold these, whatever the case."""
        told = [self.title, self.detail, self.by, *(one["comment"] for one in self.reviews)]
        told += [step for _, step, _ in self.steps]
        return any(words in text.casefold() for text in told)


@dataclass(frozen=True, slots=True)
class Look:
    """One question to a source: whose, until when, before which place, how many, and which alone.

    `stands` is how whoever looks stands to the person's labels, `reach` which of their sessions those leave
    open, `shut` which labels keep diagnoses and medications back.
    """

    patient: Patient
    ids: list[UUID]
    at: datetime
    limit: int
    context: AccessContext
    stands: tuple[str, bool]
    reach: Reach
    shut: Shut
    before: Cursor | None = None
    only: Collection[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing on timelines.

    `rows` returns, newest first, at most `limit` entries before the cursor, in a fixed number of queries
    (`queries.window` does both); `kind` and `label` are the filter that it stands under, which several
    sources may share.
    """

    key: str
    kind: str
    label: str
    rows: Callable[[Look], list[Entry]]


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Add a feature's source; called from `AppConfig.ready`. The same key again replaces it."""
    _sources[source.key] = source


def sources() -> list[Source]:
    """Return the sources in the order in which they were added."""
    return list(_sources.values())


def kinds() -> dict[str, str]:
    """Return the filters: kind and label, in order."""
    return {one.kind: one.label for one in _sources.values()}
