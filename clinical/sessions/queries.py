"""Reads of sessions: a person's list, one session with all that it holds, and those that are under way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery

from clinical.assessments.queries import around
from clinical.chart.banner import beside
from clinical.sessions.baseline import DAYS_BACK, FLOORS, LAST, Comparison, Sample, compare
from clinical.sessions.emotions.queries import Readings, readings_of
from clinical.sessions.labels import Reach, reach
from clinical.sessions.models import SessionRun
from clinical.sessions.told import has_exercise
from clinical.sessions.words.queries import EARLIER, Said, kept_back, message_ids, said
from cortex.access.context import AccessContext, holds
from cortex.audit import Actor, NotFound
from cortex.ops.postgres.questions import kept
from cortex.ui.pages import page_of
from cortex.ui.zone import zone_of
from crisis.risk.models import Evidence, EvidenceDomain, RiskAssessment
from patients.care.queries import treated_ids
from patients.codes import ConsentType, ReviewStatus, SessionKind, SessionStatus
from patients.privacy.queries import has_consent
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import NAMES, PersonCard, named, person_card, rows_of
from patients.sessions.messages import AssistantRationale, ToolAction
from patients.sessions.models import (
    Session,
    SessionActivity,
    SessionFeature,
    SessionFeedback,
    VoiceSession,
    private,
)
from patients.sessions.neural import NeuralAudioDetail
from patients.sessions.observations import EmotionObservation

# So many of an assistant's reasons stand on one page of them.
REASONS = 50


@dataclass(frozen=True, slots=True)
class Head:
    """Whose chart a page belongs to: the person, opened, with the level on record."""

    patient: Patient
    ids: list[UUID]
    person: PersonCard
    banner: dict[str, Any]

    def reach(self, actor: Actor, at: datetime) -> Reach:
        """Return which of the person's sessions labels leave open to an actor."""
        return reach(actor, self.patient, at)

    def shown(self) -> dict[str, Any]:
        """Return what the banner of a chart takes."""
        return self.banner


def head(context: AccessContext, actor: Actor, patient_id: UUID, at: datetime) -> Head:
    """Open whose chart it is; NotFound for a stranger."""
    patient = access.treated(actor, patient_id, at)
    person = person_card(context, patient, at=at, with_contacts=False)
    return Head(patient, rows_of(patient), person, beside(context, patient, person, at))


def session_of(patient_ids: Collection[UUID], session_id: UUID, who: Reach) -> Session:
    """Return one session of these rows of a person that somebody may read; NotFound for any other."""
    rows = Session.objects.select_related("run__clinician", "feature", "voice", "neural_audio")
    found = rows.filter(pk=session_id, patient_id__in=patient_ids).filter(who.sessions()).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found


def locked_scheduled(patient_ids: Collection[UUID], session_id: UUID, who: Reach) -> Session:
    """Lock and return a therapy session that was scheduled; NotFound for any other, or one kept back."""
    rows = Session.objects.select_for_update(of=("self",)).filter(
        patient_id__in=patient_ids, kind=SessionKind.THERAPY, status=SessionStatus.SCHEDULED
    )
    found = rows.filter(pk=session_id).filter(who.sessions()).first()
    if found is None:
        raise NotFound("No session is scheduled so.", "not_scheduled")
    return found


def scheduled(patient_ids: Collection[UUID], who: Reach, at: datetime) -> list[Session]:
    """Return the therapy sessions that are scheduled around now, the nearest first."""
    near = Session.objects.filter(
        patient_id__in=patient_ids, kind=SessionKind.THERAPY, status=SessionStatus.SCHEDULED,
        started_at__gte=at - timedelta(hours=12), started_at__lt=at + timedelta(days=7),
    )  # fmt: skip
    return list(near.filter(who.sessions()).order_by("started_at")[:5])


def locked_run(patient_ids: Collection[UUID], session_id: UUID) -> SessionRun:
    """Lock and return the run of a session of these rows of a person; NotFound for any other."""
    rows = SessionRun.objects.select_for_update(of=("self",)).select_related("session", "clinician")
    found = rows.filter(session_id=session_id, patient_id__in=patient_ids).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found


def run_of_person(person_id: UUID) -> SessionRun | None:
    """Return the session that is under way with a person, whichever row it was filed under, or None."""
    return next(iter(_runs_of_person(person_id)), None)


def open_run(person_id: UUID, who: Reach) -> SessionRun | None:
    """Return the session that is under way with a person where somebody may open it, or None."""
    found = run_of_person(person_id)
    return found if found is not None and who.opens(found.session, found.clinician_id) else None


@kept
def _runs_of_person(person_id: UUID) -> QuerySet[SessionRun]:
    rows = SessionRun.objects.under_way().filter(patient__person_id=person_id)
    return rows.select_related("clinician", "session").order_by("pk")[:1]


def runs_of(user_id: UUID) -> list[SessionRun]:
    """Return the sessions that one member of staff left open, the oldest first."""
    return _runs_of(user_id)


@kept
def _runs_of(user_id: UUID) -> QuerySet[SessionRun]:
    rows = SessionRun.objects.under_way().filter(clinician_id=user_id).select_related("patient")
    return rows.order_by("begun_at")


def own_runs(context: AccessContext, at: datetime) -> list[tuple[SessionRun, str]]:
    """Return the sessions that a reader left open, each with a name, opened where they treat the person."""
    reader = context.actor.person
    runs, treated = runs_of(reader.pk), treated_ids(reader, at)
    people = [one.patient for one in runs if one.patient_id in treated]
    context.open(people, NAMES)
    context.saw("sessions", subjects=[one.pk for one in people], object_type="patients.Session")
    names = {one.pk: str(named(one)) for one in people}
    return [(one, names.get(one.patient_id, "")) for one in runs]


def locked_entry(session_id: UUID, entry_id: UUID) -> SessionActivity:
    """Lock and return one entry of a session's log; NotFound for any other."""
    rows = SessionActivity.objects.select_for_update(of=("self",))
    found = rows.filter(pk=entry_id, session_id=session_id).first()
    if found is None:
        raise NotFound("This entry is gone.", "not_found")
    return found


def entries_of(session: Session) -> list[SessionActivity]:
    """Return what was logged or done in a session, in order."""
    return list(SessionActivity.objects.filter(session=session).order_by("started_at", "pk"))


def visit_measures(found: Review, at: datetime) -> list[tuple[UUID, str, int | None]]:
    """Return the measures of a session of any kind; a review asks for those of a therapy session alone."""
    return found.measures if found.session.kind == SessionKind.THERAPY else measures_of(found.session, at)


def measures_of(session: Session, at: datetime) -> list[tuple[UUID, str, int | None]]:
    """Return (id, title, total) of the measures taken for or during a session; one that is run lasts on."""
    run = getattr(session, "run", None)
    is_running = run is not None and run.ended_at is None
    end = session.ended_at or (at if is_running else session.started_at)
    rows = around([session.patient_id], session.started_at, end, session.pk)
    return [(one.pk, one.instrument.title, one.total) for one in rows]


def _asked(patient_ids: Collection[UUID], kind: str, status: str) -> QuerySet[Session]:
    rows = Session.objects.filter(patient_id__in=patient_ids)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.filter(status=status) if status else rows


def withheld(
    patient_ids: Collection[UUID],
    who: Reach,
    *,
    kind: str = "",
    status: str = "",
    until: datetime | None = None,
) -> int:
    """Return how many of these sessions labels keep back from somebody; with `until`, begun by then."""
    rows = _asked(patient_ids, kind, status).order_by()
    if until is not None:
        rows = rows.filter(started_at__lte=until)
    found = rows.aggregate(all=Count("pk"), shown=Count("pk", filter=who.sessions()))
    return int(found["all"] - found["shown"])


def listed(
    patient_ids: Collection[UUID], who: Reach, *, kind: str = "", status: str = ""
) -> QuerySet[Session]:
    """Return a person's sessions that labels leave open, newest first, with what a line of the list shows."""
    rows = _asked(patient_ids, kind, status).filter(who.sessions())
    rated = SessionFeedback.objects.filter(session=OuterRef("pk")).values("session")
    norm = (F("effectiveness_raw") - 1.0) / (F("effectiveness_scale") - 1.0)
    return (
        rows.select_related("run__clinician", "feature", "voice")
        .defer("tags", "metrics", "voice__transcript_encrypted", "voice__voice_features")
        .annotate(
            satisfaction=Subquery(rated.annotate(mean=Avg("satisfaction_raw")).values("mean")[:1]),
            effectiveness=Subquery(rated.annotate(mean=Avg(1 + 4 * norm)).values("mean")[:1]),
        )
        .order_by("-started_at", "-pk")
    )


def latest(patient_ids: Collection[UUID], who: Reach, at: datetime, most: int) -> list[Session]:
    """Return the newest sessions begun by a time that are open to somebody."""
    rows = Session.objects.filter(who.sessions(), patient_id__in=patient_ids, started_at__lte=at)
    return list(rows.order_by("-started_at")[:most])


def ran(user_id: UUID, session_id: UUID) -> bool:
    """Whether a member of staff ran a session."""
    return SessionRun.objects.filter(session_id=session_id, clinician_id=user_id).exists()


def has_session(patient_ids: Collection[UUID], who: Reach, session_id: UUID) -> bool:
    """Whether a session of these rows is open to somebody."""
    return Session.objects.filter(who.sessions(), pk=session_id, patient_id__in=patient_ids).exists()


def open_ids(patient_ids: Collection[UUID], who: Reach, wanted: Iterable[UUID | None]) -> set[UUID]:
    """Return which of these sessions of a person are open to somebody."""
    rows = Session.objects.filter(who.sessions(), pk__in=[one for one in wanted if one])
    return set(rows.filter(patient_id__in=patient_ids).values_list("pk", flat=True))


def kinds_of(patient_ids: Collection[UUID], who: Reach) -> dict[str, int]:
    """Return how many sessions of each kind a person has, as far as labels leave them open."""
    rows = Session.objects.filter(patient_id__in=patient_ids).filter(who.sessions())
    return dict(rows.values_list("kind").annotate(Count("pk")).order_by())


def flags_of(sessions: Iterable[Session], who: Reach) -> dict[UUID, int]:
    """Return how many flagged emotions of these open sessions nobody has reviewed, by session; one query."""
    found = {one.pk: one for one in sessions}
    if not found:
        return {}
    first = min(one.started_at for one in found.values()) - EARLIER
    last = max(one.ended_at or one.started_at for one in found.values()) + EARLIER
    rows = EmotionObservation.objects.in_window(first, last).filter(
        session_id__in=found, is_flagged=True, review_status=ReviewStatus.UNREVIEWED
    )
    rows = rows.filter(Q(session__run__clinician=who.user_id) | ~kept_back(who.shut))
    return dict(rows.values_list("session_id").annotate(Count("pk")).order_by())


@dataclass(slots=True)
class Review:
    """All that one session holds, before anything sealed is opened beyond what its page shows."""

    session: Session
    shut: frozenset[str] = frozenset()
    said: Said = field(default_factory=Said)
    emotions: Readings = field(default_factory=Readings)
    activities: list[SessionActivity] = field(default_factory=list)
    feedback: list[SessionFeedback] = field(default_factory=list)
    tools: list[ToolAction] = field(default_factory=list)
    rationales: Page[AssistantRationale] | None = None
    comparison: Comparison | None = None
    is_voice_off: bool = False
    gap_by: str = ""
    measures: list[tuple[UUID, str, int | None]] = field(default_factory=list)

    @property
    def voice(self) -> VoiceSession | None:
        """The words and full features of a voice session; None for every other kind."""
        return getattr(self.session, "voice", None)

    @property
    def feature(self) -> SessionFeature | None:
        """The coded leavings."""
        return getattr(self.session, "feature", None)

    @property
    def neural(self) -> NeuralAudioDetail | None:
        """How a neural-audio session was set; None for what turned out to be another kind."""
        if self.session.kind != SessionKind.NEURAL_AUDIO:
            return None
        return getattr(self.session, "neural_audio", None)

    @property
    def has_words(self) -> bool:
        """Whether there is anything that was said or written to open."""
        heard = self.voice is not None and holds(self.voice, "transcript_encrypted")
        told = any(holds(one, "user_feedback") or has_exercise(one) for one in self.activities)
        return (
            heard or told or self.said.has_words or any(holds(one, "feedback_text") for one in self.feedback)
        )

    @property
    def is_private(self) -> bool:
        """Whether the person keeps it to themself."""
        return self.session.is_private


@dataclass(frozen=True, slots=True)
class Pages:
    """Which page of its long lists a review shows."""

    emotions: str | None = None
    reasons: str | None = None


def review(head: Head, session: Session, who: Reach, at: datetime, pages: Pages | None = None) -> Review:
    """Return all that an open session holds; a fixed number of queries, nothing opened.

    Messages and readings that labels keep back are counted only.
    """
    pages, run = pages or Pages(), getattr(session, "run", None)
    found = Review(session, who.inside(run.clinician_id if run else None))
    if found.is_private:
        return found
    found.said = said(session, found.shut, at)
    found.emotions = readings_of(head.ids, session, found.shut, pages.emotions, at)
    found.activities = entries_of(session)
    found.feedback = list(SessionFeedback.objects.filter(session=session))
    if session.kind == SessionKind.CHAT:
        found.tools = list(ToolAction.objects.filter(session=session).order_by("started_at"))
        ids = message_ids(session, found.shut, at)
        reasons = AssistantRationale.objects.filter(patient_id__in=head.ids, message_id__in=ids)
        found.rationales = page_of(reasons.order_by("message_id"), pages.reasons, REASONS)
    if found.feature is not None and found.voice is not None:
        # Nothing is analysed anew once the consent to it is taken back.
        found.is_voice_off = not has_consent(head.patient.person_id, ConsentType.VOICE_PROCESSING, at)
        if not found.is_voice_off:
            earlier = earlier_voices(head.patient, found.feature, who)
            found.comparison = compare(scalars_of(found.feature), earlier)
    if found.feature is not None and found.feature.dissonance_type:
        found.gap_by = _gap_by(session)
    if session.kind == SessionKind.THERAPY:
        found.measures = measures_of(session, at)
    return found


def _gap_by(session: Session) -> str:
    """Return the version of the engine that told the gap of a session; "" where the ledger has none."""
    rows = Evidence.objects.filter(source_id=session.pk, domain=EvidenceDomain.DISSONANCE)
    return rows.order_by("-received_at", "-pk").values_list("lexicon_version", flat=True).first() or ""


def scalars_of(feature: SessionFeature) -> dict[str, float | None]:
    """Return the eight scalars of a session."""
    return {name: getattr(feature, name) for name in FLOORS}


def earlier_voices(patient: Patient, feature: SessionFeature, who: Reach) -> list[Sample]:
    """Return the person's voices before this one that are shared and that labels leave open, newest first.

    Each comes with the level that held at the time.
    """
    level = RiskAssessment.objects.filter(
        patient_id=patient.person_id, computed_at__lte=OuterRef("observed_at")
    ).order_by("-computed_at", "-id")
    rows = (
        SessionFeature.objects.filter(
            patient__person_id=patient.person_id, observed_at__lt=feature.observed_at,
            observed_at__gte=feature.observed_at - timedelta(days=DAYS_BACK), speech_seconds__isnull=False,
        )
        .filter(who.sessions("session__"), ~private("session__"))
        .annotate(level_then=Subquery(level.values("level")[:1]))
        .order_by("-observed_at")[: 2 * LAST]
    )  # fmt: skip
    zone = zone_of(patient.zone())
    return [
        Sample(
            day=one.observed_at.astimezone(zone).date(), values=scalars_of(one),
            speech_seconds=one.speech_seconds, signal_ok=one.signal_ok, is_ill=one.is_ill,
            is_intoxicated=one.is_intoxicated, level=one.level_then or "",
        )
        for one in rows
    ]  # fmt: skip
