"""Reads of a step down from critical: what holds of its conditions, who asked, and who may decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from cortex.accounts.models import Role, User
from cortex.accounts.queries import active_users
from cortex.audit import Actor, NotFound
from crisis.alerts.access import READERS
from crisis.alerts.queries import open_of_people
from crisis.duty import queries as duty
from crisis.reviews.models import FollowUp, FollowUpStatus
from crisis.risk import codes
from crisis.risk import queries as risk
from crisis.risk.engine import live_floors
from crisis.risk.evidence import Origin, from_clinician_level
from crisis.risk.lexicons import lexicon_of
from crisis.risk.switches import NOTHING
from crisis.risk.types import EvidenceItem, Inputs, Level
from crisis.safetyplans import queries as safetyplans
from crisis.stepdown import booked
from crisis.stepdown.models import StepDown
from patients.care.queries import care_team
from patients.registry.access import VIEW, relations, treated, visible_to
from patients.registry.models import Patient
from patients.registry.queries import patient

# Domain 3.8: so long since the last words of tier A or B.
QUIET = timedelta(hours=2)
CUES = ("A", "B")
HOUR = 3600
LISTED = 20
GONE = "This does not exist, or it is not open to you."


@dataclass(frozen=True, slots=True)
class Findings:
    """What holds of the conditions of domain 3.8 at a time; all of it is codes and times."""

    level: str
    alert_open: bool
    floors: tuple[str, ...]
    cue_at: datetime | None
    triage: str
    screened_at: datetime | None
    plan_complete: bool
    next_at: datetime | None

    def is_quiet(self, at: datetime) -> bool:
        """Whether the last words of tier A or B are two hours old."""
        return self.cue_at is None or at - self.cue_at >= QUIET

    def coded(self, at: datetime) -> dict[str, Any]:
        """Return what the row and the trail keep of it."""
        since = None if self.cue_at is None else round((at - self.cue_at).total_seconds() / HOUR, 1)
        return {
            "hours_since_cue": since,
            "triage": self.triage,
            "screened_at": self.screened_at.isoformat() if self.screened_at else None,
            "plan_complete": self.plan_complete,
            "booked": self.next_at is not None,
        }


def findings(person: Patient, ids: Sequence[UUID], at: datetime) -> Findings:
    """Return what holds of a person on record; `ids` are all their rows. A fixed number of queries."""
    assessed = risk.latest_assessment(person.pk)
    items = risk.ledger([person.pk], at)[person.pk]
    cues = [one.known_at for one in items if one.counts and one.domain == "text" and one.tier in CUES]
    screened = [one for one in items if one.counts and one.code in codes.CSSRS_COMPLETE]
    newest = max(screened, key=lambda one: (one.observed_at, one.known_at), default=None)
    plan = safetyplans.current(ids)
    return Findings(
        level=assessed.level if assessed else "",
        alert_open=bool(open_of_people(ids)),
        floors=_kept_critical(person, items, at),
        cue_at=max(cues, default=None),
        triage=newest.tier if newest else "",
        screened_at=newest.observed_at if newest else None,
        plan_complete=plan is not None and plan.is_complete,
        next_at=_next_contact(ids, at),
    )


def _kept_critical(person: Patient, items: list[EvidenceItem], at: datetime) -> tuple[str, ...]:
    """Return the rules that would keep the level critical after a clinician's look at this moment.

    A look ends what domain 4.3 lets it end; tier A and its kin stand until their alert is resolved.
    """
    subject = risk.subjects([person.pk])[person.pk]
    switches = risk.switches([subject.organization_id]).get(subject.organization_id, NOTHING)
    looked = from_clinician_level(Level.HIGH, Level.CRITICAL, Origin("clinician", at)).item
    inputs = Inputs(
        at=at, evidence=(*items, looked), is_minor=subject.is_minor,
        lexicon_version=lexicon_of(switches.live_lexicon).version, resting=switches.resting,
    )  # fmt: skip
    return tuple(one.rule for one in live_floors(inputs) if one.level is Level.CRITICAL)


def _next_contact(ids: Iterable[UUID], at: datetime) -> datetime | None:
    """Return when the next promised contact or booked appointment of a person is; None without one."""
    rows: Any = FollowUp.objects.filter(patient_id__in=list(ids), status=FollowUpStatus.DUE, due_at__gt=at)
    found = [booked.soonest(ids, at), rows.order_by("due_at").values_list("due_at", flat=True).first()]
    return min((one for one in found if one is not None), default=None)


def treated_person(actor: Actor, patient_id: UUID, at: datetime) -> Patient:
    """Return the row on record of somebody in whose chart the actor may write; NotFound otherwise."""
    found = treated(actor, patient_id, at, writes=True)
    return found if found.merged_into_id is None else patient(found.person_id) or found


def newest_of(ids: Iterable[UUID]) -> StepDown | None:
    """Return the question that was asked last of a person, decided or not."""
    rows = StepDown.objects.filter(patient_id__in=list(ids)).select_related("asked_by", "decided_by")
    return rows.order_by("-asked_at", "-pk").first()


def is_pending(ids: Iterable[UUID]) -> bool:
    """Whether a second reader was asked about this person and has not decided."""
    return StepDown.objects.filter(patient_id__in=list(ids), decided_at__isnull=True).exists()


def person_of(step_down_id: UUID) -> UUID:
    """Return whose level a question is about; NotFound without one."""
    rows = StepDown.objects.filter(pk=step_down_id).values_list("patient_id", flat=True)
    found = rows.first()
    if found is None:
        raise NotFound(GONE, "not_found")
    return found


def locked(step_down_id: UUID) -> StepDown:
    """Lock and return a question; its person is locked already."""
    rows = StepDown.objects.select_for_update(of=("self",)).select_related("patient", "asked_by")
    found = rows.filter(pk=step_down_id).first()
    if found is None:
        raise NotFound(GONE, "not_found")
    return found


def for_reader(actor: Actor, step_down_id: UUID, at: datetime) -> StepDown:
    """Return a question whose person is open to a reader of its house; NotFound otherwise."""
    rows = StepDown.objects.select_related("patient", "asked_by", "decided_by")
    found = rows.filter(pk=step_down_id).first()
    if found is None:
        raise NotFound(GONE, "not_found")
    relation_to(actor, found, at)
    return found


def relation_to(actor: Actor, row: StepDown, at: datetime) -> str:
    """Return by which relationship the person of a question is open to a reader; NotFound for others."""
    found = None
    if actor.role in READERS and row.organization_id == actor.organization_id:
        found = relations(actor, {row.patient_id}, VIEW, at).get(row.patient_id)
    if found is None:
        raise NotFound(GONE, "not_found")
    return found.name


def waiting_for(user: User) -> list[StepDown]:
    """Return the questions that others of the user's house asked and the user may decide; one query."""
    if user.role not in READERS:
        return []
    people = visible_to(user, Now()).values("pk")
    return list(_pending(user).filter(patient__in=people).order_by("due_at", "pk")[:LISTED])


def _pending(user: User) -> QuerySet[StepDown]:
    rows = StepDown.objects.filter(decided_at__isnull=True, organization_id=user.organization_id)
    return rows.exclude(asked_by=user).select_related("patient", "asked_by")


def readers_of(person: Patient, at: datetime) -> list[UUID]:
    """Return who may decide: the house's supervisors, who is on shift there or leads it, and the team."""
    house = active_users(organization_id=person.organization_id, roles=READERS)
    roles = dict(house.values_list("pk", "role"))
    near = duty.covering_users(person.organization_id, roles) | set(duty.lead_ids(person.organization_id))
    near |= {one.user_id for one in care_team(person.pk, at) if one.user_id is not None}
    return [pk for pk, role in roles.items() if role == Role.SUPERVISOR or pk in near]
