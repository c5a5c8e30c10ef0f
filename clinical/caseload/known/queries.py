"""Reads of what decides somebody's line, kept until the log of changes tells of them or the clock says so.

Nothing that is sealed, and nothing that depends on who looks. What changes with other rows than the person's
own (treatments, alerts with their owners, tasks, appointments, the reader's marks) is asked for each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clinical.assessments import queries as measures
from clinical.assessments.episodes import Episode, episodes
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Instrument
from clinical.assessments.planning import queries as planning
from clinical.assessments.planning.queries import DueMeasure
from clinical.assessments.queries import Course
from clinical.caseload.contacts.queries import Found, found_contacts
from cortex.ops.held import Held
from crisis.risk.queries import LevelNow, latest_levels
from patients.care.queries import Treated
from patients.changes.queries import HOLDS, Mark, joined, marks

# Some twenty caseloads of three hundred.
MOST = 6_000


class Asked(NamedTuple):
    """Of whom something is read, as what is kept of them depends on it; `since` is when their care began."""

    organization_id: UUID | None
    pk: UUID
    zone: str
    since: datetime


class Version(NamedTuple):
    """What a reading stands on beside the person's own rows: their mark, treatment, what the house asks.

    `linked` are the rows that are the person's beside the one on record; the mark is that of them all.
    """

    mark: Mark
    linked: tuple[UUID, ...]
    episode: Episode | None
    offered: tuple[UUID, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class House:
    """What is read once for a list: instruments offered, titles of those with a text, treatments by row."""

    offered: list[Instrument]
    titles: Mapping[str, str]
    treated: Mapping[UUID, Episode]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of one person at a time, exact until their version is another or `until` has come.

    `due` holds each measure's next time, also one that is yet to come. Whoever gets it changes nothing in it.
    """

    version: Version
    at: datetime
    until: datetime
    level: LevelNow | None
    courses: Mapping[str, Course]
    off_track: tuple[str, ...]
    due: Sequence[DueMeasure]
    contact: Found

    def holds(self, version: Version, at: datetime) -> bool:
        """Whether it says how things are at a time."""
        return self.version == version and self.at <= at < self.until


KNOWN: Held[Known] = Held(MOST, MOST, lambda one: 1)
INSTRUMENTS: Held[Instrument] = Held(100, 100, lambda one: 1)


def forget() -> None:
    """Drop what this process keeps, as if it had just begun."""
    KNOWN.forget()
    INSTRUMENTS.forget()


def known(
    people: Collection[tuple[Treated, datetime]], linked: Mapping[UUID, tuple[UUID, ...]],
    organization_id: UUID | None, at: datetime,
) -> dict[UUID, Known]:  # fmt: skip
    """Return by row what decides the line of each of these people, whose care began at a time.

    `linked` holds the other rows of those who have any, read before. Four queries; eight more for all
    together of whom something was written since they were read last.
    """
    asked = [Asked(organization_id, who.pk, who.zone(), since) for who, since in people]
    rows = [*(one.pk for one in asked), *(row for others in linked.values() for row in others)]
    # Before anything is read that it stands for.
    told = marks(rows)
    offered = [_one_of(row) for row in offers.instruments(organization_id)]
    titles = planning.askable(offered)
    treated = episodes(rows, at)
    measured, titled = tuple(form for row in offered for form in row.with_forms), tuple(titles)
    found: dict[UUID, Known] = {}
    missing: list[tuple[Treated, Asked, Version]] = []
    for (who, _), one in zip(people, asked, strict=True):
        others = linked.get(one.pk, ())
        mark = joined(told, (one.pk, *others))
        version = Version(mark, others, treated.get(one.pk), measured, titled)
        kept = KNOWN.get(one)
        if kept is not None and kept.holds(version, at):
            found[one.pk] = kept
        else:
            missing.append((who, one, version))
    if missing:
        KNOWN.drop(lambda one: at >= one.until)
        for one, read in _read(missing, House(offered, titles, treated), at):
            found[one.pk] = KNOWN.put(one, read)
    return found


def _one_of(row: Instrument) -> Instrument:
    """Return the row of this version that was read first: its definition never changes."""
    return INSTRUMENTS.get(row.with_forms) or INSTRUMENTS.put(row.with_forms, row)


def _read(
    missing: Sequence[tuple[Treated, Asked, Version]], house: House, at: datetime
) -> Iterator[tuple[Asked, Known]]:
    """Read these people anew; eight queries, however many they are."""
    ids = [one.pk for _, one, _ in missing]
    linked = {one.pk: version.linked for _, one, version in missing if version.linked}
    # A level is the person's own, whichever row it was judged by.
    levels = latest_levels(ids)
    courses = measures.courses_at_ends(ids, house.offered, at, house.treated, linked)
    people = [
        planning.person_of(
            who, version.linked, courses[one.pk], one.since,
            levels[one.pk].level if one.pk in levels else "", version.episode,
        )
        for who, one, version in missing
    ]  # fmt: skip
    reckoned = planning.reckonings(people, at)
    contacts = {found.pk: found for found in found_contacts(ids, at, linked)}
    for _, one, version in missing:
        own, when = courses[one.pk], reckoned[one.pk]
        firsts = [course.points[0].at + measures.LOOK_BACK for course in own.values() if course.points]
        ends = [at + HOLDS, when.until, contacts[one.pk].until, *firsts]
        yield (
            one,
            Known(
                version=version,
                at=at,
                until=min(moment for moment in ends if moment is not None),
                level=levels.get(one.pk),
                courses=own,
                off_track=tuple(
                    course.definition.title
                    for course in own.values()
                    if course.track().state == "not_on_track"
                ),
                due=when.due(house.titles, at),
                contact=contacts[one.pk],
            ),
        )
