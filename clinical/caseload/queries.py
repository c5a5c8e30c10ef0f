"""Reads of a caseload: everybody whom one member of staff treats or covers, with what decides their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2s
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet

from clinical.assessments.queries import Course
from clinical.caseload.contacts.queries import told
from clinical.caseload.known.queries import Known, known
from clinical.caseload.models import CaseMark, CaseView
from clinical.caseload.needs import judge
from clinical.caseload.promises.queries import AHEAD, Promise, promised
from clinical.caseload.ranking import GROUPS, LEVELS, Place
from clinical.pathway.beginning.queries import Beginning, beginnings
from clinical.scheduling.queries import last_and_next
from cortex.access.context import AccessContext
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import signed_in_user
from cortex.ops.postgres.planned import planned_cursor
from cortex.ops.postgres.questions import kept
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OPEN, in_sql
from crisis.reviews.models import STANDING, ReviewItem
from patients.care.queries import Treated, care_began, treated
from patients.registry.queries import NAMES, full_name, linked_rows, listed, local_day
from patients.sessions.observations import DailyCheckIn

# More people than anybody treats; a page that is cut says so.
MOST = 500
SPARK_DAYS = 14
# An alert that ended is news for so long, until one has looked.
ENDED_WITHIN = timedelta(days=14)
# What came longer ago than this has been on every list that is still open somewhere.
FRESH = timedelta(days=1)
THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)


class AlertLine(NamedTuple):
    """An alert as a list reads it; `owner` and `ended_by` are names."""

    pk: UUID
    patient_id: UUID
    level: str
    status: str
    reason_code: str
    assigned_to_id: UUID | None
    owner: str | None
    resolved_at: datetime | None
    ended_by: str | None
    ended_by_id: UUID | None


@dataclass(slots=True)
class Case:
    """One person of a caseload, before anything sealed is opened; `open_names` and `add_moods` fill theirs.

    `level` is empty when nobody was assessed; `looked_at` and `reviewed_at` are the reader's own marks.
    `linked` are the person's rows beside the one on record: a caller's, say. Whose tasks about the person are
    the reader's now, beside their own, stands in `stands_in_for`.
    """

    who: Treated
    since: datetime
    covers: str = ""
    linked: tuple[UUID, ...] = ()
    stands_in_for: set[UUID] = field(default_factory=set)
    looked_at: datetime | None = None
    reviewed_at: datetime | None = None
    level: str = ""
    level_before: str = ""
    level_since: datetime | None = None
    alerts: list[AlertLine] = field(default_factory=list)
    ended: list[AlertLine] = field(default_factory=list)
    courses: Mapping[str, Course] = field(default_factory=dict)
    items: list[ReviewItem] = field(default_factory=list)
    # What was promised after a crisis, is the reader's to do and is due by the end of the person's day.
    promises: list[Promise] = field(default_factory=list)
    moods: list[int | None] = field(default_factory=list)
    check_ins: int = 0
    last_session_at: datetime | None = None
    next_at: datetime | None = None
    last_heard: datetime | None = None
    due: list[tuple[str, datetime]] = field(default_factory=list)
    # How care began by a referral, and the titles of the first measures that are missing.
    begun: Beginning | None = None
    first_measures: list[str] = field(default_factory=list)
    review_at: datetime | None = None
    off_track: tuple[str, ...] = ()
    place: Place = field(default_factory=lambda: Place("steady", ""))
    reviewed: bool = False
    name: str = ""

    def take(self, read: Known, at: datetime) -> None:
        """Fill in what is known of the person at a time."""
        if read.level is not None:
            self.level, self.level_before = read.level.level, read.level.before
            self.level_since = read.level.entered_at
        self.courses, self.off_track = read.courses, read.off_track
        self.due = [(one.title, one.at) for one in read.due if one.at <= at]
        self.first_measures = [one.title for one in read.due if one.at <= at and one.why == "intake"]
        self.review_at = read.version.episode.review_at if read.version.episode else None

    @property
    def worst(self) -> AlertLine | None:
        """The open alert of the highest level, the one that was raised first among equals."""
        return max(self.alerts, key=lambda one: LEVELS[one.level], default=None)

    @property
    def ended_last(self) -> AlertLine | None:
        """The alert that ended last, whenever it was raised."""
        ended = [one for one in self.ended if one.resolved_at is not None]
        return max(ended, key=lambda one: one.resolved_at, default=None)  # type: ignore[arg-type, return-value]

    def stamp(self) -> str:
        """Return a digest of what a badge shows: level, alerts with their owners, tasks, newest measures."""
        facts = [
            self.level,
            *sorted(f"{one.pk}{one.level}{one.assigned_to_id}" for one in self.alerts),
            *sorted(str(one.pk) for one in self.items),
            *sorted(str(one.pk) for one in self.promises),
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
    return _ranked(user, _people(user, at), at)


def marked_caseload(user: User, at: datetime) -> tuple[str, list[Case]]:
    """Return a caseload and its mark, which is read first: what comes in between makes it another."""
    found = _people(user, at)
    return _mark_of(list(found), at), _ranked(user, found, at)


def _ranked(user: User, found: dict[UUID, Case], at: datetime) -> list[Case]:
    for patient_id, looked_at, reviewed_at in _marks(user.pk, list(found)):
        found[patient_id].looked_at, found[patient_id].reviewed_at = looked_at, reviewed_at
    linked = linked_rows(found)
    began = care_began(found, linked, at)
    people = [(case.who, began.get(pk, case.since)) for pk, case in found.items()]
    read = known(people, linked, user.organization_id, at)
    for pk, one in read.items():
        found[pk].linked = linked.get(pk, ())
        found[pk].take(one, at)
    owner = _by_row(found.values())
    for alert in map(AlertLine._make, _alerts(list(owner), at - ENDED_WITHIN)):
        case = owner[alert.patient_id]
        if alert.status in OPEN:
            case.alerts.append(alert)
        elif alert.ended_by_id != user.pk:
            # What the reader ended themself is no news to them.
            case.ended.append(alert)
    for item in _items(list(owner)):
        case = owner[item.patient_id]  # type: ignore[index]  # asked for by it
        # What is somebody else's to do waits for them: the reader may not even open it.
        if item.owner_id in (None, user.pk) or item.owner_id in case.stands_in_for:
            case.items.append(item)
    for owed in promised(owner, at):
        case = owner[owed.patient_id]
        is_theirs = owed.owner_id is not None and owed.owner_id in {user.pk, *case.stands_in_for}
        if is_theirs and local_day(case.who, owed.due_at) <= local_day(case.who, at):
            case.promises.append(owed)
    for row, begun in beginnings(list(owner), user.pk, at).items():
        case = owner[row]
        if case.begun is None or case.begun.accepted_at < begun.accepted_at:
            case.begun = begun
    _add_contacts(user, found, read, at)
    for case in found.values():
        judge(case, at)
    order = {group: number for number, (group, _, _) in enumerate(GROUPS)}
    return sorted(
        found.values(), key=lambda one: (order[one.place.group], one.place.order, one.who.anonymous_id)
    )


def _by_row(cases: Iterable[Case]) -> dict[UUID, Case]:
    """Return whose each row is: what hangs under a linked row is the person's, as on their chart."""
    return {row: case for case in cases for row in (case.who.pk, *case.linked)}


@kept
def _marks(user_id: UUID, ids: list[UUID]) -> QuerySet[CaseMark, Any]:
    rows = CaseMark.objects.filter(user_id=user_id, patient_id__in=ids)
    return rows.values_list("patient_id", "looked_at", "reviewed_at")


@kept
def _alerts(ids: Collection[UUID], since: datetime) -> QuerySet[RiskAlert, Any]:
    lately = Q(status__in=OPEN) | Q(resolved_at__gt=since)
    rows = RiskAlert.objects.filter(lately, patient_id__in=ids).exclude(status="merged").order_by("raised_at")
    return rows.values_list(
        "pk", "patient_id", "level", "status", "reason_code", "assigned_to_id", "assigned_to__full_name",
        "resolved_at", "resolved_by__full_name", "resolved_by_id",
    )  # fmt: skip


@kept
def _items(ids: Collection[UUID]) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.open().filter(patient_id__in=ids).order_by("due_at")


def _people(user: User, at: datetime) -> dict[UUID, Case]:
    """Return the people by row: on whose team `user` is, and whom they cover for somebody else.

    None of the rows was merged into another, so each is its person's on record.
    """
    found: dict[UUID, Case] = {}
    for one in treated(user, at, MOST):
        case = found.setdefault(one.pk, Case(one, one.since, one.covers or ""))
        case.since = min(case.since, one.since)
        if one.covers_id is not None:
            case.stands_in_for.add(one.covers_id)
    return found


@kept
def _said(ids: Collection[UUID], since: date) -> Any:
    rows = DailyCheckIn.objects.filter(patient_id__in=ids, date__gte=since).order_by()
    by_row = rows.values("patient_id").annotate(
        days=ArrayAgg("date", order_by=("date", "pk")), said=ArrayAgg("mood", order_by=("date", "pk")),
    )  # fmt: skip
    return by_row.values_list("patient_id", "days", "said")


def add_moods(cases: Collection[Case], at: datetime) -> None:
    """Fill in the moods of the last days of these lines, with gaps; a day is the person's own. One query."""
    shown = _by_row(cases)
    said: dict[UUID, dict[date, int | None]] = defaultdict(dict)
    # A day more than is drawn: where it is yesterday still, the first day is one earlier.
    since = at.date() - timedelta(days=SPARK_DAYS)
    for row, dates, moods in _said(list(shown), since):
        said[shown[row].who.pk].update(zip(dates, moods, strict=True))
    for pk, by_day in said.items():
        case = shown[pk]
        last = local_day(case.who, at)
        drawn = [last - timedelta(days=back) for back in range(SPARK_DAYS - 1, -1, -1)]
        case.check_ins = sum(day in by_day for day in drawn)
        case.moods = [by_day.get(day) for day in drawn]


def _add_contacts(user: User, found: dict[UUID, Case], read: Mapping[UUID, Known], at: datetime) -> None:
    """Fill in when somebody was heard last, by session, check-in or message, and when they come next.

    An hour that was held with no session here was a session all the same.
    """
    for pk, one in told(user, [one.contact for one in read.values()], at).items():
        found[pk].last_heard = _latest(one.last, one.said, one.wrote)
        found[pk].last_session_at, found[pk].next_at = one.last, one.following
    owner = _by_row(found.values())
    for row, (held, booked) in last_and_next(owner, at).items():
        case = owner[row]
        case.last_heard = _latest(case.last_heard, held)
        case.last_session_at = _latest(case.last_session_at, held)
        case.next_at = min(filter(None, (booked, case.next_at)), default=None)


def _latest(*moments: datetime | None) -> datetime | None:
    return max(filter(None, moments), default=None)


def open_names(context: AccessContext, cases: list[Case]) -> None:
    """Read these people and open their names, in two queries, and note the list that is shown."""
    people = listed(case.who.pk for case in cases)
    context.open(people.values(), (*NAMES, "pronouns"))
    for case in cases:
        row = people.get(case.who.pk)
        case.name = full_name(row) if row is not None else ""
    context.saw("caseload", subjects=list(people), object_type="caseload", sections=["identity"])


def listens(user_id: UUID) -> User | None:
    """Return the person when they have a caseload to listen to: active, of a role that treats."""
    user = signed_in_user(user_id)
    return user if user is not None and user.is_active and user.role in THERAPISTS else None


_STANDING = ", ".join(f"'{one.value}'" for one in STANDING)
# All rows of the people treated, and what of them can change a list: open alerts, levels, tasks, measures,
# promised contacts as they become due.
_MARK = f"""
WITH everybody AS MATERIALIZED (
    SELECT other.id, other.person_id FROM patients_patient own
      JOIN patients_patient other ON other.person_id = own.person_id
     WHERE own.id = ANY($1::uuid[])
)
SELECT md5(concat_ws('|',
    coalesce((SELECT string_agg(concat(id, epoch), ',' ORDER BY id) FROM crisis_riskalert
      WHERE patient_id = ANY(ARRAY(SELECT id FROM everybody)) AND status IN ({in_sql(OPEN)})), ''),
    coalesce((SELECT string_agg(DISTINCT concat(patient_id, level), ',') FROM crisis_riskassessment
      WHERE patient_id = ANY(ARRAY(SELECT person_id FROM everybody)) AND computed_at >= $2), ''),
    coalesce((SELECT string_agg(id::text, ',' ORDER BY id) FROM crisis_reviewitem
      WHERE patient_id = ANY(ARRAY(SELECT id FROM everybody)) AND done_at IS NULL), ''),
    coalesce((SELECT string_agg(id::text, ',' ORDER BY id) FROM clinical_assessment
      WHERE patient_id = ANY(ARRAY(SELECT id FROM everybody)) AND administered_at >= $2), ''),
    coalesce((SELECT string_agg(concat(id, owner_id, due_at <= $3), ',' ORDER BY id) FROM crisis_followup
      WHERE patient_id = ANY(ARRAY(SELECT id FROM everybody)) AND status IN ({_STANDING})
        AND due_at < $4), ''),
    (SELECT string_agg(DISTINCT person_id::text, ',') FROM everybody)
))
"""  # noqa: S608


def mark(user: User, at: datetime) -> str:
    """Return a digest of what can change on a caseload; 3 queries."""
    return _mark_of([one.pk for one in treated(user, at, MOST)], at)


def _mark_of(ids: list[UUID], at: datetime) -> str:
    with planned_cursor() as cursor:
        cursor.execute(_MARK, [ids, at - FRESH, at, at + AHEAD])
        return str(cursor.fetchone()[0])


def views_of(context: AccessContext, user: User) -> list[CaseView]:
    """Return the views that somebody keeps, the oldest first, their names opened."""
    rows = list(CaseView.objects.filter(user=user).order_by("created_at", "pk"))
    context.open(rows, ("name",))
    return rows


def locked_views(user_id: UUID) -> list[CaseView]:
    """Lock and return the views that somebody keeps."""
    return list(CaseView.objects.select_for_update(of=("self",)).filter(user_id=user_id).order_by("pk"))
