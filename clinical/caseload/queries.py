"""Reads of a caseload: everybody whom one member of staff treats or covers, with what decides their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2s
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from clinical.assessments import queries as measures
from clinical.assessments.models import Assessment
from clinical.assessments.planning import queries as planning
from clinical.assessments.queries import Course
from clinical.assessments.schedule import TASK_AFTER
from clinical.caseload.models import CaseMark, CaseView
from clinical.caseload.ranking import GROUPS, Need, Place, is_reviewed, place
from clinical.scheduling.queries import next_appointments
from cortex.access.context import AccessContext
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import signed_in_user
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OPEN
from crisis.alerts.wording import review_words
from crisis.reviews.models import ReviewItem
from crisis.risk.models import RiskAssessment
from crisis.risk.queries import latest_levels
from patients.care.queries import treated_ids, treated_places
from patients.registry.models import Patient
from patients.registry.queries import full_name
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn

# More people than anybody treats; a page that is cut says so.
MOST = 500
SPARK_DAYS = 14
# An alert that ended is news for so long, until one has looked.
ENDED_WITHIN = timedelta(days=14)
# What came longer ago than this has been on every list that is still open somewhere.
FRESH = timedelta(days=1)
THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)
NAMES = ("given_name", "middle_name", "family_name", "pronouns")


@dataclass(slots=True)
class Case:
    """One person of a caseload, before anything sealed is opened; `name` is filled by `open_names`."""

    patient: Patient
    since: datetime
    covers: str = ""
    mark: CaseMark | None = None
    assessment: RiskAssessment | None = None
    alerts: list[RiskAlert] = field(default_factory=list)
    ended: list[RiskAlert] = field(default_factory=list)
    courses: dict[str, Course] = field(default_factory=dict)
    items: list[ReviewItem] = field(default_factory=list)
    moods: list[int | None] = field(default_factory=list)
    check_ins: int = 0
    last_session_at: datetime | None = None
    next_at: datetime | None = None
    last_heard: datetime | None = None
    due: list[tuple[str, datetime]] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place("steady", ""))
    reviewed: bool = False
    name: str = ""

    @property
    def level(self) -> str:
        """The level on record; empty when nobody was assessed."""
        return self.assessment.level if self.assessment else ""

    def stamp(self) -> str:
        """Return a digest of what a badge shows: level, alerts with their owners, tasks, newest measures."""
        facts = [
            self.level,
            *sorted(f"{one.pk}{one.level}{one.assigned_to_id}" for one in self.alerts),
            *sorted(str(one.pk) for one in self.items),
            *sorted(str(one.latest.assessment_id) for one in self.courses.values() if one.latest),
        ]
        return blake2s("\n".join(facts).encode(), digest_size=6).hexdigest()


def locked_mark(user_id: UUID, patient_id: UUID) -> CaseMark | None:
    """Lock and return somebody's mark on a person, or None."""
    rows = CaseMark.objects.select_for_update(of=("self",))
    return rows.filter(user_id=user_id, patient_id=patient_id).first()


def mark_of(user_id: UUID, patient_id: UUID) -> CaseMark | None:
    """Return somebody's mark on a person, or None."""
    return next(iter(_mark(user_id, patient_id)), None)


@kept
def _mark(user_id: UUID, patient_id: UUID) -> QuerySet[CaseMark]:
    return CaseMark.objects.filter(user_id=user_id, patient_id=patient_id)


def caseload(user: User, at: datetime) -> list[Case]:
    """Return everybody whom `user` treats or covers, ranked; a fixed number of queries, nothing opened."""
    found = _people(user, at)
    by_person = {case.patient.person_id: case for case in found.values()}
    ids = set(found) | set(by_person)

    def case_of(patient_id: UUID | None) -> Case | None:
        return None if patient_id is None else found.get(patient_id) or by_person.get(patient_id)

    for mark in _marks(user.pk, list(found)):
        found[mark.patient_id].mark = mark
    for person, assessed in latest_levels(by_person).items():
        by_person[person].assessment = assessed
    for alert in _alerts(ids, at - ENDED_WITHIN):
        if (case := case_of(alert.patient_id)) is not None:
            (case.alerts if alert.is_open else case.ended).append(alert)
    for item in _items(ids):
        if (case := case_of(item.patient_id)) is not None:
            case.items.append(item)
    _add_measures(found, at, user.organization_id)
    _add_moods(ids, case_of, at)
    _add_sessions(ids, case_of, at)
    for case in found.values():
        _judge(case, at)
    order = {group: number for number, (group, _, _) in enumerate(GROUPS)}
    return sorted(
        found.values(), key=lambda one: (order[one.place.group], one.place.order, one.patient.anonymous_id)
    )


@kept
def _marks(user_id: UUID, ids: list[UUID]) -> QuerySet[CaseMark]:
    return CaseMark.objects.filter(user_id=user_id, patient_id__in=ids)


@kept
def _alerts(ids: Collection[UUID], since: datetime) -> QuerySet[RiskAlert]:
    lately = Q(status__in=OPEN) | Q(resolved_at__gt=since)
    rows = RiskAlert.objects.filter(lately, patient_id__in=ids).exclude(status="merged")
    return rows.select_related("assigned_to", "resolved_by").order_by("raised_at")


@kept
def _items(ids: Collection[UUID]) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.open().filter(patient_id__in=ids).order_by("due_at")


def _people(user: User, at: datetime) -> dict[UUID, Case]:
    """Return the people by row: on whose team `user` is, and whom they cover for somebody else."""
    found: dict[UUID, Case] = {}
    for place_ in treated_places(user, at, MOST):
        whose = place_.cover_for.user if place_.cover_for_id and place_.cover_for else None
        covers = whose.full_name if whose else ""
        case = found.setdefault(place_.patient_id, Case(place_.patient, place_.starts_at, covers))
        case.since = min(case.since, place_.starts_at)
    return found


def _add_measures(found: dict[UUID, Case], at: datetime, organization_id: UUID | None) -> None:
    offered = measures.instruments(organization_id)
    owner = {pk: pk for pk in found} | {case.patient.person_id: pk for pk, case in found.items()}
    courses, treated = measures.courses_of_many(owner, offered, at)
    people = []
    for pk, case in found.items():
        case.courses, ids = courses[pk], (case.patient.person_id,)
        people.append(
            planning.person_of(case.patient, ids, case.courses, case.since, case.level, treated.get(pk))
        )
    due = planning.due_measures(people, offered, at)
    for pk, case in found.items():
        case.due = [(one.title, one.at) for one in due[pk]]


@kept
def _said(ids: Collection[UUID], since: date) -> Any:
    rows = DailyCheckIn.objects.filter(patient_id__in=ids, date__gte=since).order_by()
    by_row = rows.values("patient_id").annotate(
        days=ArrayAgg("date", order_by=("date", "pk")), said=ArrayAgg("mood", order_by=("date", "pk")),
        heard=Max("submitted_at"),
    )  # fmt: skip
    return by_row.values_list("patient_id", "days", "said", "heard")


def _add_moods(ids: Iterable[UUID], case_of: Any, at: datetime) -> None:
    """Fill in the moods of the last days, with gaps; a day is the person's own."""
    days: dict[UUID, dict[date, int | None]] = defaultdict(dict)
    # A day more than is drawn: where it is yesterday still, the first day is one earlier.
    since = at.date() - timedelta(days=SPARK_DAYS)
    for patient_id, dates, moods, heard in _said(list(ids), since):
        if (case := case_of(patient_id)) is not None:
            days[case.patient.pk].update(zip(dates, moods, strict=True))
            case.last_heard = max(filter(None, (case.last_heard, heard)))
    for pk, by_day in days.items():
        case = case_of(pk)
        last = local_day(case.patient, at)
        drawn = [last - timedelta(days=back) for back in range(SPARK_DAYS - 1, -1, -1)]
        case.check_ins = sum(day in by_day for day in drawn)
        case.moods = [by_day.get(day) for day in drawn]


def local_day(patient: Patient, at: datetime) -> date:
    """Return the day that it is where a person lives."""
    return at.astimezone(zone_of(patient.zone())).date()


@kept
def _last_and_next(ids: Collection[UUID], at: datetime) -> Any:
    own = Session.objects.filter(patient_id=OuterRef("pk"))
    newest = own.filter(started_at__lte=at).order_by("-started_at")
    coming = own.filter(started_at__gt=at, status="scheduled").order_by("started_at")
    rows = Patient.objects.filter(pk__in=ids).order_by()
    return rows.values_list(
        "pk", Subquery(newest.values("started_at")[:1]), Subquery(coming.values("started_at")[:1])
    )


def _add_sessions(ids: Iterable[UUID], case_of: Any, at: datetime) -> None:
    for patient_id, last, following in _last_and_next(list(ids), at):
        case = case_of(patient_id)
        if case is not None and last is not None:
            case.last_session_at = max(filter(None, (case.last_session_at, last)))
            case.last_heard = max(filter(None, (case.last_heard, last)))
        if case is not None and following is not None:
            case.next_at = min(following, case.next_at or following)
    for booked in next_appointments(ids, at).values():
        if (case := case_of(booked.patient_id)) is not None:
            case.next_at = min(booked.starts_at, case.next_at or booked.starts_at)


def _judge(case: Case, at: datetime) -> None:
    titles = {key: course.definition.title for key, course in case.courses.items()}
    off = tuple(titles[key] for key, one in case.courses.items() if one.track().state == "not_on_track")
    overdue = [(title, due + TASK_AFTER) for title, due in case.due if at >= due + TASK_AFTER]
    waiting: list[tuple[str, datetime]] = []
    for item in case.items:
        title = review_words(item.reason_code)[0]
        (overdue if item.due_at <= at else waiting).append((title, item.due_at))
    rose = (
        case.assessment.entered_level_at if case.assessment and case.level in ("high", "critical") else None
    )
    points = [one.latest.at for one in case.courses.values() if one.latest]
    ended = case.ended[-1] if case.ended else None
    ended_at = ended.resolved_at if ended else None
    created = (item.created_at for item in case.items)
    newest = [moment for moment in (rose, ended_at, *points, *created) if moment]
    need = Need(
        level=case.level,
        alert_levels=tuple(alert.level for alert in case.alerts),
        level_rose_at=rose,
        ended_at=ended_at,
        ended_by=ended.resolved_by.full_name if ended and ended.resolved_by else "",
        off_track=off,
        overdue=tuple(overdue),
        waiting=tuple(waiting),
        last_heard=case.last_heard,
        looked_at=case.mark.looked_at if case.mark else None,
        reviewed_at=case.mark.reviewed_at if case.mark else None,
        newest_at=max(newest, default=None),
        since=case.since,
    )
    case.place, case.reviewed = place(need, at), is_reviewed(need)


def open_names(context: AccessContext, cases: list[Case]) -> None:
    """Open the names of these people, in one query for their keys, and note the list that is shown."""
    people = [case.patient for case in cases]
    context.open(people, NAMES)
    for case in cases:
        case.name = full_name(case.patient)
    context.saw(
        "caseload", subjects=[one.pk for one in people], object_type="caseload", sections=["identity"]
    )


def listens(user_id: UUID) -> User | None:
    """Return the person when they have a caseload to listen to: active, of a role that treats."""
    user = signed_in_user(user_id)
    return user if user is not None and user.is_active and user.role in THERAPISTS else None


def marks(user: User, at: datetime) -> str:
    """Return a digest of what can change on a caseload: open alerts, levels, tasks, measures; 6 queries."""
    rows = _everybody(list(treated_ids(user, at)))
    ids, people = [pk for pk, _ in rows], {person for _, person in rows}
    since = at - FRESH
    facts = [
        *sorted(f"{pk}{epoch}" for pk, epoch in _open_now(ids)),
        *sorted({f"{who}{level}" for who, level in _levels_since(people, since)}),
        *sorted(str(pk) for pk in _item_ids(ids)),
        *sorted(str(pk) for pk in _done_since(ids, since)),
        *sorted(str(pk) for pk in people),
    ]
    return blake2s("\n".join(facts).encode(), digest_size=8).hexdigest()


@kept
def _everybody(treated: list[UUID]) -> QuerySet[Patient, tuple[UUID, UUID]]:
    """Every row of these people, with the row on record of each."""
    own = Patient.objects.filter(pk__in=treated).values("person_id")
    return Patient.objects.filter(person_id__in=own).values_list("pk", "person_id")


@kept
def _open_now(ids: list[UUID]) -> QuerySet[RiskAlert, tuple[UUID, int]]:
    return RiskAlert.objects.open().filter(patient_id__in=ids).values_list("pk", "epoch")


@kept
def _item_ids(ids: list[UUID]) -> QuerySet[ReviewItem, UUID]:
    return ReviewItem.objects.open().filter(patient_id__in=ids).values_list("pk", flat=True)


@kept
def _levels_since(people: set[UUID], since: datetime) -> QuerySet[RiskAssessment, tuple[UUID, str]]:
    rows = RiskAssessment.objects.filter(patient_id__in=people, computed_at__gte=since)
    return rows.values_list("patient_id", "level")


@kept
def _done_since(ids: list[UUID], since: datetime) -> QuerySet[Assessment, UUID]:
    rows = Assessment.objects.filter(patient_id__in=ids, administered_at__gte=since)
    return rows.values_list("pk", flat=True)


def views_of(context: AccessContext, user: User) -> list[CaseView]:
    """Return the views that somebody keeps, the oldest first, their names opened."""
    rows = list(CaseView.objects.filter(user=user).order_by("created_at", "pk"))
    context.open(rows, ("name",))
    return rows


def locked_views(user_id: UUID) -> list[CaseView]:
    """Lock and return the views that somebody keeps."""
    return list(CaseView.objects.select_for_update(of=("self",)).filter(user_id=user_id).order_by("pk"))
