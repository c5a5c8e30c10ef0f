"""The treatment that a measure's change is reckoned from: when it began, its changes, next review and end.

Whoever plans treatment registers where this stands (`AppConfig.ready`), so that measures know no plans. The
registry alone, no query here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from uuid import UUID

# Domain 2.1 rule 5: what was measured so many days around the first day of a treatment is of its beginning.
AROUND = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Episode:
    """One person's treatment: its first day where they live; `ended_at` while they are being discharged."""

    began: date
    zone: tzinfo
    review_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def opens(self) -> datetime:
        """The first moment of the days around its beginning."""
        return datetime.combine(self.began - AROUND, time(), self.zone)

    @property
    def closes(self) -> datetime:
        """The moment after the last of those days."""
        return datetime.combine(self.began + AROUND + timedelta(days=1), time(), self.zone)


Source = Callable[[Collection[UUID], datetime], Mapping[UUID, Episode]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Say who knows treatments; registering again replaces it."""
    _sources[:] = [source]


def episodes(patient_ids: Collection[UUID], at: datetime) -> dict[UUID, Episode]:
    """Return the treatment that goes on at a time by the person's rows; one query; none without a plan."""
    return dict(_sources[0](patient_ids, at)) if _sources and patient_ids else {}


def episode_of(patient_ids: Collection[UUID], at: datetime) -> Episode | None:
    """Return the treatment of the one person whose rows these are, or None."""
    return next(iter(episodes(patient_ids, at).values()), None)


Changes = Callable[[Collection[UUID], datetime], Sequence[tuple[datetime, str]]]
_changes: list[Changes] = []


def register_changes(source: Changes) -> None:
    """Say who knows when a treatment was planned anew; registering again replaces it."""
    _changes[:] = [source]


def changes(patient_ids: Collection[UUID], since: datetime) -> list[tuple[datetime, str]]:
    """Return (when, words) of the changes of the treatments of these rows, oldest first; one query."""
    return list(_changes[0](patient_ids, since)) if _changes and patient_ids else []
