"""Reads of one chart: who it is, how risky and who says so, what changed, whether it works, what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.assessments import queries as measures
from clinical.assessments.planning import queries as planning
from clinical.assessments.queries import Course
from clinical.caseload.models import CaseMark
from clinical.caseload.queries import local_day, mark_of
from clinical.scheduling.models import Appointment
from clinical.scheduling.queries import next_appointments
from cortex.access.context import AccessContext
from cortex.audit import Actor
from crisis.alerts.models import RiskAlert
from crisis.alerts.queries import open_of_people
from crisis.reviews.models import STANDING, FollowUp, ReviewItem
from crisis.risk.models import RiskAssessment
from crisis.risk.queries import latest_assessment
from patients.care.models import CareTeamMember
from patients.care.queries import care_team
from patients.privacy.queries import consent_state
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import PersonCard, person_card, rows_of
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn

DAYS = 30
SESSIONS = 8
CONSENTS = ("treatment", "voice_processing", "emergency_contact", "care_team_sharing")


@dataclass(slots=True)
class Chart:
    """What the first screen of a chart shows."""

    patient: Patient
    person: PersonCard
    assessment: RiskAssessment | None
    alerts: list[RiskAlert]
    items: list[ReviewItem]
    follow_ups: list[FollowUp]
    team: list[CareTeamMember]
    consents: dict[str, bool]
    courses: dict[str, Course]
    due: list[tuple[str, datetime]]
    check_ins: list[DailyCheckIn]
    days: list[date]
    sessions: list[Session]
    mark: CaseMark | None
    next_appointment: Appointment | None

    @property
    def level(self) -> str:
        """The level on record; empty when nobody was assessed."""
        return self.assessment.level if self.assessment else ""

    @property
    def seen_before(self) -> datetime | None:
        """When the reader looked before this look."""
        return self.mark.looked_before if self.mark else None


def chart(context: AccessContext, actor: Actor, patient_id: UUID, at: datetime) -> Chart:
    """Open a chart: the person's name, ways to reach them, what is coded; a fixed number of queries."""
    patient = access.treated(actor, patient_id, at)
    ids = rows_of(patient)
    person = person_card(context, patient, at=at, with_contacts=False)
    team = care_team(patient.pk, at)
    began = min((place.starts_at for place in team), default=patient.registered_at)
    done = measures.standing(ids, at - measures.LOOK_BACK)
    offered = measures.instruments(patient.organization_id)
    courses = measures.courses(done, offered)
    assessment = latest_assessment(patient.person_id)
    level = assessment.level if assessment else ""
    planned = planning.due_measures([planning.person_of(patient, ids, courses, began, level)], offered, at)
    last = local_day(patient, at)
    days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    consents = consent_state([patient.person_id], CONSENTS, at)
    return Chart(
        patient=patient,
        person=person,
        assessment=assessment,
        alerts=open_of_people(ids),
        items=list(ReviewItem.objects.open().filter(patient_id__in=ids).order_by("due_at")),
        follow_ups=list(
            FollowUp.objects.filter(patient_id__in=ids, status__in=STANDING).order_by("due_at")[:5]
        ),
        team=team,
        consents={kind: consents[patient.person_id, kind] for kind in CONSENTS},
        courses=courses,
        due=[(one.title, one.at) for one in planned[patient.pk]],
        check_ins=list(
            DailyCheckIn.objects.filter(patient_id__in=ids, date__gte=days[0])
            .only(
                "date", "mood", "sleep_quality", "stress_level", "focus_score", "patient_id", "submitted_at"
            )
            .order_by("date")
        ),
        days=days,
        sessions=list(
            Session.objects.filter(patient_id__in=ids, started_at__lte=at)
            .only("kind", "channel", "status", "started_at", "duration_seconds", "patient_id")
            .order_by("-started_at")[:SESSIONS]
        ),
        mark=mark_of(actor.person.pk, patient.pk),
        next_appointment=min(
            next_appointments(ids, at).values(), key=lambda one: one.starts_at, default=None
        ),
    )


def by_day(found: Chart, name: str) -> list[int | None]:
    """Return one daily score over the chart's days, oldest first; a day without an answer is None."""
    values: dict[date, Any] = {one.date: getattr(one, name) for one in found.check_ins}
    return [values.get(day) for day in found.days]
