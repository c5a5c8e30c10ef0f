"""The sources that stand on the floors below: sessions, measures, alerts, signals, days, consents, teams."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.timezone import localtime

from clinical.assessments.models import Assessment
from clinical.assessments.queries import band_words, item9_of
from clinical.assessments.wording import flag_words
from clinical.sessions.told import place_words, status_words
from clinical.timeline import wording
from clinical.timeline.models import FindingKind
from clinical.timeline.queries import window, window_of
from clinical.timeline.registry import Cursor, Entry, Finding, Look, Source, register
from cortex.ops.postgres.questions import kept
from cortex.ui.paths import path_to
from cortex.ui.zone import zone_of
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.wording import event_words, follow_up_words, reason_sentence, review_words
from crisis.followups.showing import checks_of, is_unsafe, sentence_of
from crisis.reviews.models import FollowUp, ReviewItem
from crisis.risk.codes import PROTECTED
from crisis.risk.models import Evidence, EvidenceDomain, RiskAssessment
from crisis.risk.reasons import reason_code, sentence
from patients.care.models import CareTeamMember
from patients.privacy.models import Consent
from patients.privacy.scope import limit_words
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn, EmotionObservation

# Steps of the machine that tell a reader of years later nothing.
QUIET_STEPS = ("notified", "step_fired", "source_opened", "confirmed_late")
# Filters that other sources stand under, too: whom to call, and what a rule proposed.
TEAM, TEAM_LABEL = "team", "People"
SIGNALS, SIGNALS_LABEL = "signals", "Levels and signals"
TONES = {"critical": "crit", "high": "crit"}
WRITTEN = ExpressionWrapper(Q(notes__isnull=False) | Q(metrics__isnull=False), BooleanField())
# Of an emotion: what it was read from, and by which model.
READ = Subquery(
    EmotionObservation.objects.filter(pk=OuterRef("source_id"))
    .order_by()
    .values(told=JSONObject(source="source", name="model_name", version="model_version"))[:1]
)
SCORES = (("mood", "mood"), ("sleep", "sleep_quality"), ("stress", "stress_level"), ("focus", "focus_score"))


def _sessions(look: Look) -> list[Entry]:
    """Sessions that labels leave open to the reader."""
    rows = Session.objects.filter(patient_id__in=look.ids, started_at__lte=look.at)
    rows = rows.filter(look.reach.sessions())
    columns = ("kind", "channel", "status", "started_at", "duration_seconds", "patient_id", "run__ended_at")
    rows = rows.select_related("run").only(*columns)
    return [
        Entry(
            "session", "sessions", one.pk, one.started_at, one.get_kind_display(),
            detail=". ".join(filter(None, (
                place_words(one), _minutes(one.duration_seconds), status_words(one),
            ))) + ".",
            icon="message-circle", url=path_to("clinical:session", look.patient.pk, one.pk),
        )
        for one in window_of(rows, "started_at", look, "session")
    ]  # fmt: skip


def _minutes(seconds: int | None) -> str:
    return f"{round(seconds / 60)} min" if seconds else ""


def _taken(ids: list[UUID], at: datetime) -> Any:
    rows = Assessment.objects.filter(patient_id__in=ids, administered_at__lte=at)
    return rows.select_related("instrument", "administered_by")


def _standing(ids: list[UUID], at: datetime) -> Any:
    return _taken(ids, at).standing()


def _measures(look: Look) -> list[Entry]:
    """What stands; one that was corrected is found by its id alone."""
    build = _standing if look.only is None else _taken
    return [
        Entry(
            "measure", "measures", one.pk, one.administered_at, _measure_title(one),
            detail=" ".join(flag_words(one.flags, item9_of(one))),
            by=one.administered_by.full_name if one.administered_by else "",
            icon="clipboard-list",
            tone="crit" if "item9_endorsed" in one.flags else "",
            url=path_to("clinical:measure_result", look.patient.pk, one.pk),
        )
        for one in window(build, "administered_at", look, "measure")
    ]  # fmt: skip


def _measure_title(one: Assessment) -> str:
    if one.total is None or not one.is_valid:
        return f"{one.instrument.title}, {'declined' if 'declined' in one.flags else 'no total'}"
    band = band_words(one)
    return f"{one.instrument.title}: {one.total}" + (f", {band.lower()}" if band else "")


def _days(look: Look) -> list[Entry]:
    """A check-in stands at the end of the person's own day, whenever it reached us."""
    zone = zone_of(look.patient.zone())
    rows = DailyCheckIn.objects.filter(patient_id__in=look.ids)
    rows = rows.only("date", "patient_id", *(column for _, column in SCORES)).annotate(has_words=WRITTEN)
    if look.only is None:
        # The cursor is a moment, the column a day: one day more is asked for, and cut off below.
        last = (look.before.at if look.before else look.at + timedelta(days=1)).astimezone(zone).date()
        rows = rows.filter(date__lte=last).order_by("-date", "-pk")[: look.limit + 2 * len(look.ids)]
    else:
        rows = rows.filter(pk__in=list(look.only))
    found = []
    for one in rows:
        at = datetime.combine(one.date, time.max, zone)
        if look.only is None and look.before and not Cursor(at, "day", one.pk) < look.before:
            continue
        told = [f"{name} {value}" for name, column in SCORES if (value := getattr(one, column)) is not None]
        found.append(
            Entry("day", "days", one.pk, at, "Daily check-in", detail=wording.capital(", ".join(told)),
                  icon="mood-smile", is_day=True,
                  words_url=path_to("clinical:day_words", look.patient.pk, one.pk) if one.has_words else "")
        )  # fmt: skip
    return found[: look.limit]


def _raised(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = RiskAlert.objects.filter(patient_id__in=ids, raised_at__lte=at)
    return rows.select_related("assigned_to", "resolved_by")


@kept
def _steps(alerts: list[UUID]) -> QuerySet[AlertEvent]:
    rows = AlertEvent.objects.filter(alert_id__in=alerts).exclude(kind__in=QUIET_STEPS)
    return rows.order_by("feed_number")


def _alerts(look: Look) -> list[Entry]:
    alerts = window(_raised, "raised_at", look, "alert")
    steps: dict[UUID, list[tuple[datetime, str, str]]] = defaultdict(list)
    for event in _steps([one.pk for one in alerts]):
        who = event.actor_label if event.actor_kind == "user" else ""
        steps[event.alert_id].append((event.occurred_at, event_words(event.kind, event.codes)[0], who))
    return [_alert(one, steps[one.pk]) for one in alerts]


def _alert(one: RiskAlert, steps: list[tuple[datetime, str, str]]) -> Entry:
    ended = f" {one.get_disposition_display()}." if one.disposition else ""
    state = (
        "Open." if one.is_open else "Closed as a false alarm." if one.status == "false_alarm" else "Ended."
    )
    owner = one.resolved_by or one.assigned_to
    return Entry(
        "alert", "alerts", one.pk, one.raised_at, f"Alert, {one.level}: {reason_sentence(one.reason_code)}",
        detail=f"{state}{ended}", by=owner.full_name if owner else "", icon="urgent",
        tone="crit" if one.is_open else "", level=one.level,
        url=path_to("crisis:alert_page", one.pk), steps=steps,
    )  # fmt: skip


def _evaluations(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = RiskAssessment.objects.filter(patient_id__in=ids, computed_at__lte=at)
    return rows.only(
        "level", "level_source", "rules_fired", "missing_inputs", "engine_version", "computed_at"
    )


def _changes_of_level(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    # A batch may have several evaluations of one moment: the first of a level stands for them.
    same = {name: OuterRef(name) for name in ("patient_id", "computed_at", "level")}
    earlier = RiskAssessment.objects.filter(**same, pk__lt=OuterRef("pk"))
    return _evaluations(ids, at).filter(entered_level_at=F("computed_at")).exclude(Exists(earlier))


def _levels(look: Look) -> list[Entry]:
    """Evaluations at which the level became another one; the others said the same again."""
    theirs = replace(look, ids=[look.patient.person_id])
    build = _changes_of_level if look.only is None else _evaluations
    return [
        Entry(
            "level", "signals", one.pk, one.computed_at, f"Level {one.level}",
            detail=_level_detail(one), icon="activity", tone=TONES.get(one.level, ""), level=one.level,
            finding=Finding(
                FindingKind.LEVEL, one.level, f"Engine {one.engine_version}",
                wording.level_confidence(one.level_source, one.missing_inputs),
            ),
        )
        for one in window(build, "computed_at", theirs, "level")
    ]  # fmt: skip


def _level_detail(one: RiskAssessment) -> str:
    why = f"{sentence(reason_code(one.rules_fired, one.level))}. " if one.rules_fired else ""
    return why + wording.level_detail(one.level_source, one.missing_inputs)


def _coded(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Evidence.objects.filter(patient_id__in=ids, observed_at__lte=at).annotate(read=READ)
    return rows.exclude(domain__in=(EvidenceDomain.CONTEXT, EvidenceDomain.REVIEW)).exclude(status="absent")


def _signals(look: Look) -> list[Entry]:
    """Coded signals that count or counted; shadow readings and what people decided are no findings.

    One about substance use is a protected factor to whom Part 2 is closed: no finding, so nobody's words.
    """
    closed = look.reach.unnamed
    return [
        _protected(one) if one.code in closed
        else Entry(
            "signal", "signals", one.pk, one.observed_at, wording.evidence_title(one.code),
            detail=wording.evidence_source(one.source_type, one.read)
            + (" Found to be no sign when the alert ended." if one.refuted_at else ""),
            icon="wave-sine",
            finding=Finding(
                FindingKind.EVIDENCE, one.code,
                wording.evidence_said_by(one.domain, one.source_type, one.lexicon_version, one.read),
                wording.evidence_confidence(one.source_type, one.confidence),
            ),
        )
        for one in window(_coded, "observed_at", look, "signal")
    ]  # fmt: skip


def _protected(one: Evidence) -> Entry:
    return Entry(
        "signal", "signals", one.pk, one.observed_at, wording.evidence_title(PROTECTED),
        detail=wording.KEPT_BACK, icon="lock",
    )  # fmt: skip


def _said(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    return Consent.objects.filter(patient_id__in=ids, recorded_at__lte=at).select_related("recorded_by")


def _consents(look: Look) -> list[Entry]:
    return [
        Entry(
            "consent", "consents", one.pk, one.recorded_at,
            f"{one.get_consent_type_display()}: {'agreed' if one.granted else 'withdrawn or refused'}",
            detail=f"{one.get_method_display()}."
            + (f" Until {localtime(one.expires_at):%-d %b %Y}." if one.expires_at else "")
            + (f" {wording.capital('; '.join(limits))}." if (limits := limit_words(one.scope)) else ""),
            by=one.recorded_by.full_name if one.recorded_by else "", icon="file-certificate",
        )
        for one in window(_said, "recorded_at", look, "consent")
    ]  # fmt: skip


def _begun(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = CareTeamMember.objects.ever().filter(patient_id__in=ids, starts_at__lte=at)
    return rows.select_related("user", "cover_for__user")


def _joined(look: Look) -> list[Entry]:
    return [
        Entry(
            "joined", "team", one.pk, one.starts_at,
            wording.joined_words(_who(one), one.get_role_display(), _covered(one), one.ends_at),
            icon="users",
        )
        for one in window(_begun, "starts_at", look, "joined")
    ]  # fmt: skip


def _over(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = CareTeamMember.objects.ever().filter(patient_id__in=ids, ends_at__lte=at)
    return rows.select_related("user", "cover_for__user")


def _left(look: Look) -> list[Entry]:
    return [
        Entry(
            "left", "team", one.pk, one.ends_at,
            f"{_who(one)} {'no longer covers' if _covered(one) else 'left the team'}", icon="logout",
        )
        for one in window(_over, "ends_at", look, "left")
        if one.ends_at is not None
    ]  # fmt: skip


def _who(one: CareTeamMember) -> str:
    return one.user.full_name if one.user else "Somebody without an account"


def _covered(one: CareTeamMember) -> str:
    return one.cover_for.user.full_name if one.cover_for_id and one.cover_for and one.cover_for.user else ""


def _follow_ups(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = FollowUp.objects.filter(patient_id__in=ids, due_at__lte=at)
    return rows.select_related("done_by", "checks")


def _contacts(look: Look) -> list[Entry]:
    return [
        Entry(
            "contact", "tasks", one.pk, one.due_at, follow_up_words(one.label),
            detail=f"{one.get_status_display()}."
            + (f" {wording.capital(one.outcome.replace('_', ' '))}." if one.outcome else "")
            + f" {sentence_of(checks_of(one))}".rstrip(),
            by=one.done_by.full_name if one.done_by else "", icon="phone",
            tone="crit" if one.status == "missed" or is_unsafe(one) else "",
        )
        for one in window(_follow_ups, "due_at", look, "contact")
    ]  # fmt: skip


def _items(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    return ReviewItem.objects.filter(patient_id__in=ids, created_at__lte=at).select_related("done_by")


def _tasks(look: Look) -> list[Entry]:
    return [
        Entry(
            "task", "tasks", one.pk, one.created_at, review_words(one.reason_code)[0],
            detail=wording.capital(one.outcome.replace("_", " ")) + "." if one.done_at else "Open.",
            by=one.done_by.full_name if one.done_by else "", icon="clipboard-check",
            url="" if one.done_at else one.page_for(look.context.actor.id),
        )
        for one in window(_items, "created_at", look, "task")
    ]  # fmt: skip


OWN: tuple[tuple[str, str, str, Any], ...] = (
    ("session", "sessions", "Sessions", _sessions),
    ("measure", "measures", "Measures", _measures),
    ("alert", "alerts", "Alerts", _alerts),
    ("level", SIGNALS, SIGNALS_LABEL, _levels),
    ("signal", SIGNALS, SIGNALS_LABEL, _signals),
    ("day", "days", "Check-ins", _days),
    ("contact", "tasks", "Contacts and tasks", _contacts),
    ("task", "tasks", "Contacts and tasks", _tasks),
    ("consent", "consents", "Consent", _consents),
    ("joined", TEAM, TEAM_LABEL, _joined),
    ("left", TEAM, TEAM_LABEL, _left),
)


def register_own() -> None:
    """Add them; called once, at start."""
    for key, kind, label, rows in OWN:
        register(Source(key, kind, label, rows))
