"""Reads of one person's chart: what its first screen must answer; opens name, birthday and effects alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery

from clinical.assessments import queries as measures
from clinical.assessments.episodes import episode_of
from clinical.assessments.instruments import queries as offers
from clinical.assessments.planning import queries as planning
from clinical.assessments.queries import Course
from clinical.assessments.schedule import HIGH, SCREENER, ask_since
from clinical.caseload.models import CaseMark
from clinical.caseload.queries import mark_of
from clinical.chart import parts
from clinical.chart.news.queries import appointments_off, places_ended
from clinical.scheduling.models import Appointment
from clinical.scheduling.queries import next_starts
from clinical.sessions.coding import RISK
from clinical.sessions.labels import Reach, open_sessions, reach_by
from clinical.sessions.models import SessionRun
from clinical.sessions.queries import withheld
from cortex.access.context import AccessContext
from cortex.audit import Actor
from cortex.ops.postgres.questions import kept
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import STANDING, FollowUp, ReviewItem
from crisis.risk.codes import CLINICIAN_LEVEL, CLINICIAN_REVIEW
from crisis.risk.models import Evidence, RiskAssessment
from crisis.stepdown.models import StepDown
from patients.care.models import CareTeamMember
from patients.care.queries import care_team, seats
from patients.holds.queries import rows_with_hold
from patients.labels.queries import standing
from patients.privacy.queries import decisions_told
from patients.privacy.records import Decision
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.person import PatientPreference
from patients.registry.queries import PersonCard, local_day, person_card
from patients.sessions.models import Session, SessionActivity
from patients.sessions.observations import DailyCheckIn
from patients.sessions.queries import PROGRESS, progress_summary

RANGES = (30, 90, 365)
DAYS = 30
# Moods of a longer time are no news.
MOOD_DAYS = 182
SITTINGS = ("therapy", "crisis_contact")
SESSIONS = 8
# Each is one query of the axis; the picture can't show more of them apart.
MOST_MARKS = 200
# What of an alert that is over no chart shows.
UNSHOWN = ("factors", "evidence", "policy", "hand_note", "resolution_notes", "no_follow_up_reason")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a clinician said of the level last: which ("" left it to the signals), who, and when."""

    level: str
    by: str
    at: datetime


@dataclass(slots=True)
class Chart:
    """What the first screen of a chart shows."""

    patient: Patient
    person: PersonCard
    look: parts.Look
    assessment: RiskAssessment | None
    stated: Statement | None
    # Evaluations at which the level changed within the axis, and the last one before it; oldest first.
    levels: list[RiskAssessment]
    alerts: list[RiskAlert]
    items: list[ReviewItem]
    follow_ups: list[FollowUp]
    team: list[CareTeamMember]
    decided: dict[str, Decision]
    courses: dict[str, Course]
    due: list[tuple[str, datetime]]
    # The screener's title where it can be asked, and since when somebody is to be asked about suicide.
    screener: str
    ask_since: datetime | None
    check_ins: list[DailyCheckIn]
    first: date
    last: date
    sessions: list[Session]
    sessions_withheld: int
    session_times: list[datetime]
    off: list[Appointment]
    left: list[CareTeamMember]
    next_at: datetime | None
    progress: dict[str, Any]
    preference: PatientPreference | None
    mark: CaseMark | None
    added: list[parts.Shown] = field(default_factory=list)

    @property
    def level(self) -> str:
        """The level on record; empty when nobody was assessed."""
        return self.assessment.level if self.assessment else ""

    @property
    def since(self) -> datetime | None:
        """From when changes are told: the last session with a clinician, else the reader's last look."""
        return self.look.since

    @property
    def stands_in_for(self) -> set[UUID]:
        """For whom of the team the reader stands in now: what those have to do is theirs meanwhile."""
        me, team = self.look.context.actor.id, self.look.team
        covered = {place.cover_for_id for place in team if place.user_id == me and place.cover_for_id}
        return {place.user_id for place in team if place.pk in covered and place.user_id}

    @property
    def seen_before(self) -> datetime | None:
        """When the reader looked before this look."""
        return self.mark.looked_before if self.mark else None

    @property
    def open_alerts(self) -> list[RiskAlert]:
        """Those that somebody still has to end, the worst first."""
        found = [one for one in self.alerts if one.is_open]
        return sorted(found, key=lambda one: (one.level != "critical", one.raised_at))


def chart(context: AccessContext, actor: Actor, patient_id: UUID, at: datetime, days: int) -> Chart:
    """Open a chart over so many days: a fixed number of queries, however long somebody is known."""
    patient = access.treated(actor, patient_id, at)
    ids, held = rows_with_hold(patient)
    person = person_card(context, patient, at=at, with_contacts=False)
    relation = standing(actor.person, patient, at)
    who = reach_by(actor.person.pk, relation)
    team, mark = care_team(patient.pk, at), mark_of(actor.person.pk, patient.pk)
    met_at = next(iter(_last_therapy(ids, at, who.user_id, who.shut)), None)
    since = met_at or (mark.looked_before if mark else None)
    decided = decisions_told(patient.person_id, at)
    start = at - timedelta(days=days)
    evaluations = _evaluations(patient.person_id, start, at)
    newest = evaluations[0]
    level = newest.level if newest else ""
    alerts = _alerts(ids, at - measures.LOOK_BACK)
    tense = [one for one in alerts if one.is_open and one.level in HIGH]
    alarms = [one.level_since for one in tense]
    if newest is not None and level in HIGH:
        alarms.append(newest.entered_level_at)
    look = parts.Look(
        patient, ids, at, context, level=tense[0].level if tense and level not in HIGH else level,
        standing=relation, team=team, met_at=met_at, since=since, held_since=held,
    )  # fmt: skip
    began = min((place.starts_at for place in team), default=patient.registered_at)
    done = measures.standing(ids, at - measures.LOOK_BACK)
    offered = offers.instruments(patient.organization_id)
    episode = episode_of(ids, at)
    courses = measures.courses(done, offered, episode)
    measures.note_age(context, patient, courses.values())
    last = local_day(patient, at)
    first = last - timedelta(days=days - 1)
    # Moods since then stand beside those of as many days before it, whatever the axis shows.
    span = mood_span(local_day(patient, since), last) if since else 0
    treated = planning.person_of(patient, ids, courses, began, level, episode)
    titles, reckoned = planning.askable(offered), planning.reckonings([treated], at)[patient.pk]
    planning.hold_to_schedule(courses, reckoned.facts)
    sessions = _recent(ids, at, who.user_id, who.shut)
    context.open(
        [one for row in sessions if not row.is_private for one in row.feedback.all()],
        ("physical_effects", "mental_effects"),
    )
    return Chart(
        patient=patient,
        person=person,
        look=look,
        assessment=evaluations[0],
        stated=_stated(ids, at),
        levels=evaluations[1],
        alerts=alerts,
        items=_items(ids),
        follow_ups=_follow_ups(ids),
        team=seats(team),
        decided=decided,
        courses=courses,
        screener=titles.get(SCREENER, ""),
        ask_since=ask_since(reckoned.facts, alarms, next(iter(_asked(ids, at - planning.LOOK_BACK)), None)),
        due=[(one.title, one.at) for one in reckoned.due(titles, at) if one.at <= at],
        check_ins=_check_ins(ids, min(first, last - timedelta(days=max(DAYS - 1, 2 * span)))),
        first=first,
        last=last,
        sessions=sessions,
        sessions_withheld=withheld(ids, who, until=at),
        session_times=_session_times(ids, start, at, who.user_id, who.shut),
        next_at=_next(ids, at, who),
        progress=_progress(patient.pk, ids, at - timedelta(days=DAYS), last - timedelta(days=DAYS - 1), who),
        preference=next(iter(_preference(ids)), None),
        off=appointments_off(ids, since or at, at),
        left=places_ended(ids, since or at, at),
        mark=mark,
        added=parts.overviews(look),
    )


def _evaluations(
    person_id: UUID, start: datetime, at: datetime
) -> tuple[RiskAssessment | None, list[RiskAssessment]]:
    """Return the newest evaluation, and those that changed the level since `start` with the one before."""
    changes = _level_changes(person_id, start, at)[::-1]
    before = _newest_evaluation(person_id, start, False)
    newest = next(iter(_newest_evaluation(person_id, at, True)), None)
    return newest, [*before, *changes]


@kept
def _newest_evaluation(person_id: UUID, until: datetime, inclusive: bool) -> QuerySet[RiskAssessment]:
    rows = RiskAssessment.objects.filter(patient_id=person_id)
    rows = rows.filter(computed_at__lte=until) if inclusive else rows.filter(computed_at__lt=until)
    return rows.order_by("-computed_at", "-id")[:1]


def _stated(ids: list[UUID], at: datetime) -> Statement | None:
    for level, seen, *names in _statements(ids, at):
        return Statement(level, " and ".join(filter(None, names)), seen)
    return None


@kept
def _statements(ids: list[UUID], at: datetime) -> QuerySet[Evidence, Any]:
    """Return the last statement on the level with the names of who ran, reviewed, or asked and agreed."""
    rows = Evidence.objects.filter(
        patient_id__in=ids, code__in=(CLINICIAN_LEVEL, CLINICIAN_REVIEW), source_type="clinician",
        refuted_at__isnull=True, observed_at__lte=at,
    )  # fmt: skip
    source = OuterRef("source_id")
    ran = SessionRun.objects.filter(session_id=source).values("clinician__full_name")
    done = ReviewItem.objects.filter(pk=source).values("done_by__full_name")
    stepped = StepDown.objects.filter(pk=source)
    asked, agreed = (stepped.values(f"{part}__full_name") for part in ("asked_by", "decided_by"))
    names = [Subquery(one[:1]) for one in (ran, done, asked, agreed)]
    return rows.order_by("-observed_at", "-pk").values_list("floor", "observed_at", *names)[:1]


@kept
def _level_changes(person_id: UUID, start: datetime, at: datetime) -> QuerySet[RiskAssessment]:
    rows = RiskAssessment.objects.filter(patient_id=person_id, computed_at__lte=at, computed_at__gte=start)
    return rows.filter(entered_level_at=F("computed_at")).order_by("-computed_at", "-id")[:MOST_MARKS]


def _alerts(ids: list[UUID], start: datetime) -> list[RiskAlert]:
    found = {one.pk: one for one in [*_alerts_since(ids, start), *_open_alerts(ids)]}
    return sorted(found.values(), key=lambda one: one.raised_at)


@kept
def _alerts_since(ids: list[UUID], start: datetime) -> QuerySet[RiskAlert]:
    rows = RiskAlert.objects.filter(patient_id__in=ids, raised_at__gte=start).exclude(status="merged")
    rows = rows.select_related("assigned_to", "resolved_by").defer(*UNSHOWN)
    return rows.order_by("-raised_at")[:MOST_MARKS]


@kept
def _open_alerts(ids: list[UUID]) -> QuerySet[RiskAlert]:
    return RiskAlert.objects.filter(patient_id__in=ids).open().select_related("assigned_to")


@kept
def _follow_ups(ids: list[UUID]) -> QuerySet[FollowUp]:
    return FollowUp.objects.filter(patient_id__in=ids, status__in=STANDING).order_by("due_at")[:5]


@kept
def _items(ids: list[UUID]) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.open().filter(patient_id__in=ids).order_by("due_at")


@kept
def _check_ins(ids: list[UUID], since: date) -> QuerySet[DailyCheckIn]:
    rows = DailyCheckIn.objects.filter(patient_id__in=ids, date__gte=since)
    scores = ("mood", "sleep_quality", "stress_level", "focus_score")
    return rows.only("date", *scores, "patient_id", "submitted_at").order_by("date")


@kept
def _recent(ids: list[UUID], at: datetime, user_id: UUID, shut: tuple[str, ...]) -> QuerySet[Session]:
    """Return the newest sessions begun by `at` that labels leave open, with their feedback, if any."""
    rows = Session.objects.filter(patient_id__in=ids, started_at__lte=at)
    rows = rows.filter(open_sessions(user_id, shut))
    return rows.select_related("run").prefetch_related("feedback").order_by("-started_at")[:SESSIONS]


@kept
def _session_times(
    ids: list[UUID], start: datetime, at: datetime, user_id: UUID, shut: tuple[str, ...]
) -> QuerySet[Session, datetime]:
    rows = Session.objects.filter(patient_id__in=ids, started_at__gte=start, started_at__lte=at)
    rows = rows.filter(open_sessions(user_id, shut))
    return rows.order_by("-started_at").values_list("started_at", flat=True)[:MOST_MARKS]


@kept
def _last_therapy(
    ids: list[UUID], at: datetime, user_id: UUID, shut: tuple[str, ...]
) -> QuerySet[Session, datetime]:
    """When the last sitting with a clinician that is over began; an app's own sessions are none."""
    rows = Session.objects.filter(patient_id__in=ids, kind__in=SITTINGS, started_at__lte=at)
    rows = rows.filter(open_sessions(user_id, shut))
    # One that is under way is not the last one: what came since the one before is what it begins with.
    held = rows.filter(status__in=("completed", "abandoned"))
    return held.order_by("-started_at").values_list("started_at", flat=True)[:1]


@kept
def _asked(ids: list[UUID], since: datetime) -> QuerySet[SessionActivity, datetime]:
    """When a clinician last took down a risk assessment in a session: they asked in their own words."""
    rows = SessionActivity.objects.filter(patient_id__in=ids, activity_type=RISK, started_at__gte=since)
    return rows.order_by("-started_at").values_list("started_at", flat=True)[:1]


@kept
def _next_session(
    ids: list[UUID], at: datetime, user_id: UUID, shut: tuple[str, ...]
) -> QuerySet[Session, datetime]:
    rows = Session.objects.filter(patient_id__in=ids, started_at__gt=at, status="scheduled")
    rows = rows.filter(open_sessions(user_id, shut))
    return rows.order_by("started_at").values_list("started_at", flat=True)[:1]


def _progress(
    patient_id: UUID, ids: list[UUID], since: datetime, first_day: date, who: Reach
) -> dict[str, Any]:
    [found] = _figures(patient_id, ids, since, first_day, who.user_id, who.shut)
    return dict(zip(PROGRESS, found, strict=True))


@kept
def _figures(
    patient_id: UUID, ids: list[UUID], since: datetime, first_day: date, user_id: UUID, shut: tuple[str, ...]
) -> QuerySet[Patient, Any]:
    return progress_summary(patient_id, ids, since, first_day, open_sessions(user_id, shut))


@kept
def _preference(ids: list[UUID]) -> QuerySet[PatientPreference]:
    return PatientPreference.objects.filter(patient_id__in=ids).order_by("-updated_at")[:1]


def _next(ids: list[UUID], at: datetime, who: Reach) -> datetime | None:
    coming = _next_session(ids, at, who.user_id, who.shut)
    return min([*coming, *next_starts(ids, at).values()], default=None)


def mood_span(since: date, last: date) -> int:
    """Return over how many days moods are told, up to the last one, beside those of as many before them."""
    return min(max((last - since).days, 1), MOOD_DAYS)


def by_day(found: Chart, name: str, days: int = DAYS) -> list[int | None]:
    """Return one daily score over the last days, oldest first; a day without an answer is None."""
    values: dict[date, Any] = {one.date: getattr(one, name) for one in found.check_ins}
    return [values.get(found.last - timedelta(days=back)) for back in range(days - 1, -1, -1)]
