"""Reads of schedules: what is due for whom and why; a fixed number of queries for any number of people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Count

from clinical.assessments import queries as measures
from clinical.assessments.episodes import Episode, episode_of
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, Instrument, InstrumentText
from clinical.assessments.planning.models import MeasureChase, MeasurePlan
from clinical.assessments.queries import Course
from clinical.assessments.schedule import (
    AFTER_CRITICAL,
    HIGH,
    OCCASIONS,
    TASK_AFTER,
    Due,
    Facts,
    Own,
    Place,
    due,
    ends_of,
    transitions,
)
from cortex.accounts.models import Organization, User
from cortex.audit import NotFound
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Status
from crisis.risk import codes
from crisis.risk.models import Evidence
from crisis.risk.queries import latest_levels
from patients.care.models import CareTeamMember
from patients.care.queries import Treated, care_began, care_since, treated
from patients.registry.models import Patient
from patients.registry.queries import linked_rows, rows_of
from patients.sessions.models import Session

# What asks for a screener before this was long ago answered by somebody.
LOOK_BACK = timedelta(days=60)
# How long somebody is asked for screeners after a critical event, and a week more.
CRITICAL_COUNTS = AFTER_CRITICAL[-1] + timedelta(days=7)
SITTINGS = ("therapy", "crisis_contact")
TIERS = ("A", "B", "C")
MOST = 500
# Care is measurement-based where somebody was measured so often within so long.
OFTEN, OFTEN_WITHIN = 2, timedelta(days=90)


# A person's row, or what a list holds of it: with `pk`, `person_id` and `zone()`.
Who = TypeVar("Who")


@dataclass(slots=True)
class Person(Generic[Who]):
    """One person whose measures are planned: their rows, since when they are in care, courses and level.

    `episode` is the treatment that goes on: its reviews and its end ask for measures too.
    """

    patient: Who
    began: datetime
    ids: tuple[UUID, ...] = ()
    courses: dict[str, Course] = field(default_factory=dict)
    level: str = ""
    episode: Episode | None = None


@dataclass(frozen=True, slots=True)
class DueMeasure:
    """A measure that is due, with its title."""

    key: str
    title: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What decides when one person's measures are due, and until when the clock alone changes none of it."""

    facts: Facts
    until: datetime | None

    def due(self, offered: Mapping[str, str], at: datetime) -> list[DueMeasure]:
        """Return when each of these measures (titles by key) is due next, the longest overdue first."""
        return [DueMeasure(one.key, offered[one.key], one.at, one.why)
                for one in due(self.facts, offered, at)]  # fmt: skip


def askable(offered: Iterable[Instrument]) -> dict[str, str]:
    """Return the titles by key of those whose text is installed: no other can be asked, so none is due."""
    rows = list(offered)
    texts = set(_with_texts([row.pk for row in rows]))
    return {row.key: row.title for row in rows if row.pk in texts}


def due_measures(
    people: Iterable[Person[Any]],
    offered: Iterable[Instrument],
    at: datetime,
    *,
    ahead: timedelta = timedelta(),
) -> dict[UUID, list[DueMeasure]]:
    """Return by row what is due by `at` (and `ahead` of it), the longest overdue first; six queries."""
    found = list(people)
    titles, reckoned = askable(offered), reckonings(found, at)
    return {
        one.patient.pk: [
            asked for asked in reckoned[one.patient.pk].due(titles, at) if asked.at <= at + ahead
        ]
        for one in found
    }


def reckonings(people: Iterable[Person[Any]], at: datetime) -> dict[UUID, Reckoning]:
    """Return by row what decides when measures are due; five queries, however many people they are.

    `until` is when the first of what is looked back on is too long ago, or the next of what is known already
    comes: a sitting that was put down ahead, a place on a team, the end of a pause.
    """
    everybody = list(people)
    owner = {pk: one.patient.pk for one in everybody for pk in (one.patient.pk, *one.ids)}
    since = at - LOOK_BACK
    own = _own(owner, {one.patient.pk: one.patient for one in everybody})
    ids = list(owner)
    signals = _times(owner, _signals(ids, since))
    critical = _times(owner, _critical(ids, at - CRITICAL_COUNTS))
    places = _places_of(owner)
    # A sitting asks for a screener while the level is high, and of nobody else.
    tense = [pk for one in everybody if one.level in HIGH for pk in (one.patient.pk, *one.ids)]
    contacts = _times(owner, _contacts(tense, since))
    found = {}
    for one in everybody:
        pk = one.patient.pk
        facts = Facts(
            began=one.began,
            taken={key: course.taken() for key, course in one.courses.items() if course.points},
            own=own.get(pk, {}),
            level=one.level,
            contacts=[when for when in contacts.get(pk, []) if when <= at],
            transitions=transitions(places[pk], one.began, at),
            signals=signals.get(pk, []),
            critical_at=max(critical.get(pk, []), default=None),
            review_at=one.episode.review_at if one.episode else None,
            discharge_at=one.episode.ended_at if one.episode else None,
        )
        ends = [when + LOOK_BACK for when in (*facts.signals[:1], *facts.contacts[:1])]
        for times in (ends_of(places[pk]), contacts.get(pk, [])):
            ends += [when for when in times if when > at][:1]
        ends += [rule.until for rule in facts.own.values() if rule.until is not None and rule.until > at]
        if facts.critical_at is not None:
            ends.append(facts.critical_at + CRITICAL_COUNTS)
        found[pk] = Reckoning(facts, min(ends, default=None))
    return found


def _times(owner: Mapping[UUID, UUID], rows: Iterable[tuple[UUID, datetime]]) -> dict[UUID, list[datetime]]:
    """Return the times of rows, which are in order, by their person's row."""
    found: dict[UUID, list[datetime]] = defaultdict(list)
    for patient_id, when in rows:
        found[owner[patient_id]].append(when)
    return found


@kept
def _signals(people: list[UUID], since: datetime) -> Any:
    rows = Evidence.objects.filter(
        patient_id__in=people, observed_at__gte=since, refuted_at__isnull=True, status="present"
    )
    found = rows.filter(domain="text", tier__in=TIERS) | rows.filter(code=codes.ITEM9, value__gte=1)
    return found.order_by("observed_at").values_list("patient_id", "observed_at")


@kept
def _critical(people: list[UUID], since: datetime) -> Any:
    """When alerts became critical, those that ended as none or joined another left out."""
    rows = RiskAlert.objects.filter(patient_id__in=people, level="critical", level_since__gte=since)
    rows = rows.exclude(status__in=(Status.FALSE_ALARM, Status.MERGED))
    return rows.order_by("level_since").values_list("patient_id", "level_since")


@kept
def _contacts(people: list[UUID], since: datetime) -> Any:
    rows = Session.objects.filter(patient_id__in=people, kind__in=SITTINGS, started_at__gte=since)
    return rows.order_by("started_at").values_list("patient_id", "started_at")


@kept
def _places(people: list[UUID]) -> Any:
    rows = CareTeamMember.objects.memberships().ever().filter(patient_id__in=people)
    return rows.values_list("patient_id", "starts_at", "ends_at")


@kept
def _plans(people: list[UUID]) -> Any:
    return MeasurePlan.objects.filter(patient_id__in=people)


@kept
def _with_texts(instruments: list[UUID]) -> Any:
    rows = InstrumentText.objects.filter(instrument_id__in=instruments)
    return rows.values_list("instrument_id", flat=True)


def _places_of(owner: Mapping[UUID, UUID]) -> dict[UUID, list[Place]]:
    """Return the places on the teams of people by their row; planned covers change nobody's care."""
    found: dict[UUID, list[Place]] = defaultdict(list)
    for patient_id, start, end in _places(list(owner)):
        found[owner[patient_id]].append((start, end))
    return found


def _own(owner: Mapping[UUID, UUID], people: Mapping[UUID, Any]) -> dict[UUID, dict[str, Own]]:
    found: dict[UUID, dict[str, Own]] = defaultdict(dict)
    for row in _plans(list(owner)):
        pk = owner[row.patient_id]
        until = None
        if row.paused_until is not None:
            until = datetime.combine(row.paused_until, time(), zone_of(people[pk].zone()))
        every = timedelta(days=row.interval_days) if row.interval_days else None
        found[pk][row.key] = Own(every, row.is_paused, until, row.set_at)
    return found


def hold_to_schedule(courses: Mapping[str, Course], facts: Facts) -> None:
    """Tell a person's courses the schedule by which visits are missing."""
    for key, one in courses.items():
        one.began, one.own = facts.began, facts.own.get(key, Own())


def read_schedule(courses: Mapping[str, Course], patient: Patient, ids: Iterable[UUID], at: datetime) -> None:
    """The same where nothing else is asked about when measures are due; two queries."""
    own = _own(dict.fromkeys(ids, patient.pk), {patient.pk: patient})
    began = care_since(patient.pk, at) or patient.registered_at
    hold_to_schedule(courses, Facts(began, own=own.get(patient.pk, {})))


def alerts_since(patient_ids: Iterable[UUID], since: datetime) -> list[tuple[datetime, str]]:
    """Return (when, level) of the alerts of these rows, oldest first: marks on a course."""
    rows = RiskAlert.objects.filter(patient_id__in=list(patient_ids), raised_at__gte=since)
    return list(rows.order_by("raised_at").values_list("raised_at", "level"))


def person_of(
    patient: Who, ids: Iterable[UUID], courses: dict[str, Course], began: datetime, level: str = "",
    episode: Episode | None = None,
) -> Person[Who]:  # fmt: skip
    """Return one person as the schedule asks for them."""
    return Person(patient, began, tuple(ids), courses, level, episode)


@dataclass(frozen=True, slots=True)
class Asked:
    """A measure that an occasion asks for: whether it is still to be taken, and where its course stands."""

    key: str
    title: str
    is_due: bool
    course: Course


def asked_for(patient: Patient, occasion: str, at: datetime) -> list[Asked]:
    """Return the measures that a review of the plan, an end of treatment or a transfer now asks for.

    `occasion` is review, discharge or transfer (domain 2.2). One without its text can't be asked and is left
    out; one that is paused for this person is there and not due.
    """
    ids, offered = rows_of(patient), offers.instruments(patient.organization_id)
    zone = zone_of(patient.zone())
    episode = episode_of(ids, at) or Episode(at.astimezone(zone).date(), zone)
    courses = measures.courses(measures.standing(ids, at - measures.LOOK_BACK), offered, episode)
    now = replace(
        episode, review_at=at if occasion == "review" else None,
        ended_at=None if occasion == "review" else at,
    )  # fmt: skip
    began = care_since(patient.pk, at) or patient.registered_at
    person = person_of(patient, ids, courses, began, episode=now)
    due = {one.key for one in due_measures([person], offered, at)[patient.pk]}
    texts = offers.installed(offered)
    there = {row.key: row.title for row in offered if row.pk in texts}
    return [Asked(key, there[key], key in due, courses[key]) for key in OCCASIONS[occasion] if key in there]


def plan_of(patient_id: UUID, key: str) -> MeasurePlan | None:
    """Lock and return a person's own schedule of a measure, or None."""
    return MeasurePlan.objects.select_for_update().filter(patient_id=patient_id, key=key).first()


def plans_of(patient_ids: Iterable[UUID]) -> dict[str, MeasurePlan]:
    """Return a person's own schedules by the instrument's key."""
    rows = MeasurePlan.objects.filter(patient_id__in=list(patient_ids)).select_related("set_by")
    return {row.key: row for row in rows}


def own_people(user: User, at: datetime) -> list[Person[Treated]]:
    """Return whom somebody treats or covers, with when their care began, whoever came first; no dates yet."""
    found = {place.pk: Person(place, place.since) for place in treated(user, at, MOST)[::-1]}
    linked = linked_rows(found)
    for pk, began in care_began(found, linked, at).items():
        found[pk].began = began
    return _filled(found, offers.instruments(user.organization_id), at, linked)


def _filled(
    found: dict[UUID, Person[Any]], offered: list[Instrument], at: datetime,
    linked: dict[UUID, tuple[UUID, ...]] | None = None,
) -> list[Person[Any]]:  # fmt: skip
    """Fill in what is known of people by their rows on record; what was filed under a linked row counts."""
    linked = linked_rows(found) if linked is None else linked
    courses, treatments = measures.courses_of_many(found, offered, at, linked)
    levels = latest_levels(found)
    for pk, one in found.items():
        one.ids = linked.get(pk, ())
        one.courses, one.episode = courses[pk], treatments.get(pk)
        one.level = levels[pk].level if pk in levels else ""
    return list(found.values())


def measured_often(owner: Mapping[UUID, UUID], since: datetime, at: datetime) -> set[UUID]:
    """Return which people answered OFTEN measures or more between two times; one query.

    `owner` says whose each of their rows is. That makes care measurement-based (domain 6.1): whichever
    measures, each with a total, those that were corrected once, whichever row they were filed under.
    """
    counts: Counter[UUID] = Counter()
    for row, count in _measured(list(owner), since, at):
        counts[owner[row]] += count
    return {person for person, count in counts.items() if count >= OFTEN}


@kept
def _measured(rows: list[UUID], since: datetime, at: datetime) -> Any:
    """By row, so that the index of a person's administrations serves."""
    taken = Assessment.objects.standing().valid().filter(patient_id__in=rows)
    taken = taken.filter(administered_at__gt=since, administered_at__lte=at).order_by()
    return taken.values("patient_id").annotate(count=Count("pk")).values_list("patient_id", "count")


def serving_ids() -> list[UUID]:
    """Return the organizations that answer for people."""
    return list(Organization.objects.serving().values_list("pk", flat=True))


def chunk_in_care(
    organization_id: UUID, after: UUID | None, at: datetime, size: int
) -> list[Person[Patient]]:
    """Return the next of an organization's people who are in somebody's care, in the order of their rows."""
    here = {"organization_id": organization_id, "patient__status": "active"}
    rows = CareTeamMember.objects.memberships().running(at).filter(patient__merged_into=None, **here)
    if after is not None:
        rows = rows.filter(patient_id__gt=after)
    ids = list(rows.order_by("patient_id").values_list("patient_id", flat=True).distinct()[:size])
    found: dict[UUID, Person[Patient]] = {}
    for place in rows.filter(patient_id__in=ids).select_related("patient__organization"):
        one = found.setdefault(place.patient_id, Person(place.patient, place.starts_at))
        one.began = min(one.began, place.starts_at)
    return sorted(_filled(found, offers.instruments(organization_id), at), key=lambda one: one.patient.pk)


def late_of(patient: Patient, at: datetime) -> list[DueMeasure]:
    """Return what is a week late of one person, as the daily look finds it, whichever of their rows is asked.

    Eleven queries, and one more for a row that was linked.
    """
    own = patient.pk == patient.person_id
    row = patient if own else Patient.objects.select_related("organization").get(pk=patient.person_id)
    offered = offers.instruments(row.organization_id)
    person = Person(row, care_since(row.pk, at) or row.registered_at)
    return due_measures(_filled({row.pk: person}, offered, at), offered, at - TASK_AFTER)[row.pk]


def chased(patient_ids: Iterable[UUID]) -> dict[tuple[UUID, str, datetime], MeasureChase]:
    """Return what was chased by (row, key, due)."""
    rows = MeasureChase.objects.filter(patient_id__in=list(patient_ids))
    return {(row.patient_id, row.key, row.due_at): row for row in rows}


def locked_chase(patient_id: UUID, one: DueMeasure | Due) -> MeasureChase | None:
    """Lock and return what was chased of one due measure, or None."""
    rows = MeasureChase.objects.select_for_update()
    return rows.filter(patient_id=patient_id, key=one.key, due_at=one.at).first()


def version(instrument_id: UUID) -> Instrument:
    """Return one version of an instrument; NotFound without one."""
    found = Instrument.objects.filter(pk=instrument_id).first()
    if found is None:
        raise NotFound("There is no such instrument.", "instrument_unknown")
    return found
