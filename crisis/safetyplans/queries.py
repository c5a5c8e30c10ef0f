"""Reads of safety plans: who may look and write, what stands on record, its lines, what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from cortex.access.context import AccessContext
from cortex.access.unreadable import UNREADABLE, readable
from cortex.accounts.choices import DESK_ROLES, Role
from cortex.audit import Actor, NotFound, RuleBroken
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from crisis.alerts.access import QUESTIONS
from crisis.alerts.models import Disposition, RiskAlert
from crisis.alerts.states import Status
from crisis.resources.queries import resources_near
from crisis.reviews.models import PLAN_REVIEW, ReviewItem
from crisis.risk.models import RiskAssessment
from crisis.risk.queries import latest_assessment
from crisis.safetyplans import rules
from crisis.safetyplans.models import PlanStatus, SafetyPlan, SafetyPlanItem, SafetyPlanReview
from patients.care.models import CareTeamMember
from patients.codes import CareRole
from patients.registry.access import BREAK_GLASS, READ_ONLY, relations
from patients.registry.models import Patient
from patients.registry.predicate import VIEW
from patients.registry.queries import lock_person, patient, patients, person_card, rows_of

# A line of the draft: its words, and a number, a place or a name.
Line = tuple[str, str]
Lines = dict[str, list[Line]]
# A second reader is asked about one alert; whoever supervises looks, and leaves the writing to who is there.
READS_ONLY = QUESTIONS | {"supervision", BREAK_GLASS}
WRITERS = frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST})
MOST_SERVICES = 4
DAY = timedelta(days=1)
VERSIONS = 50
MOST_BESIDE = 20


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom which person's plan is open, by which relationship."""

    person: Patient
    ids: list[UUID]
    relation: str

    @property
    def may_write(self) -> bool:
        """Whether the relationship lets them write; their role is the door's question."""
        return self.relation not in READS_ONLY


def writes(actor: Actor, relation: str) -> bool:
    """Whether an actor with this relationship writes plans: who treats people, and who has their alert."""
    return actor.role in WRITERS and relation not in READS_ONLY


def reader(actor: Actor, patient_id: UUID, at: datetime) -> Reader:
    """Return whose plan is open to an actor; NotFound for strangers, and for a second reader of one alert.

    Whoever has claimed an alert, or treats the person, opens it: the plan is made for that moment.
    """
    works = actor.role in DESK_ROLES
    found = relations(actor, {patient_id}, VIEW, at).get(patient_id) if works else None
    row = patient(patient_id) if found is not None and found.name not in QUESTIONS else None
    if found is None or row is None:
        raise NotFound
    person = row if row.merged_into_id is None else patient(row.merged_into_id) or row
    return Reader(person, rows_of(person), found.name)


def writer(actor: Actor, patient_id: UUID, at: datetime) -> Reader:
    """Lock a person and return them to whoever may write their plan; others who see it only read."""
    lock_person(patient_id)
    who = reader(actor, patient_id, at)
    if not who.may_write:
        raise RuleBroken(READ_ONLY if who.relation == BREAK_GLASS else "You read here alone.", "read_only")
    return who


@dataclass(slots=True)
class Held:
    """What stands on record of a person's plan: the version in force with its lines, and the draft."""

    current: SafetyPlan | None = None
    draft: SafetyPlan | None = None
    items: list[SafetyPlanItem] = field(default_factory=list)
    # What else is in force on rows that were linked into one person: it ends with the version above.
    behind: list[SafetyPlan] = field(default_factory=list)

    @property
    def in_force(self) -> list[SafetyPlan]:
        """Return every version in force, the person's plan as the last."""
        return [*self.behind, *([self.current] if self.current is not None else [])]

    @property
    def token(self) -> str:
        """Return what a form must have seen; another one says that somebody saved meanwhile."""
        return self.newest.token if self.newest is not None else ""

    @property
    def newest(self) -> SafetyPlan | None:
        """Return what was saved last: the draft, else the version in force."""
        return self.draft or self.current


def held(ids: Iterable[UUID]) -> Held:
    """Return what stands on record of a person, in two queries; nothing is opened."""
    rows = SafetyPlan.objects.standing().filter(patient_id__in=list(ids))
    return _sorted(list(rows.select_related("authored_by", "reviewed_by").order_by("finished_at", "pk")))


def locked(ids: Iterable[UUID]) -> Held:
    """Return the same, locked; the person is locked already."""
    rows = SafetyPlan.objects.standing().filter(patient_id__in=list(ids)).select_for_update(of=("self",))
    return _sorted(list(rows.order_by("finished_at", "pk")))


def _sorted(rows: Sequence[SafetyPlan]) -> Held:
    """Of rows that were linked into one person each may have its plan: the one finished last is in force."""
    found = Held()
    for row in rows:
        if row.is_draft:
            found.draft = row
        else:
            found.behind += [found.current] if found.current is not None else []
            found.current = row
    if found.current is not None:
        found.items = list(SafetyPlanItem.objects.filter(plan=found.current))
    return found


@kept
def _lines_in_force(patient_id: UUID) -> QuerySet[SafetyPlanItem]:
    """The lines in force for the person that a row is of; those of the version finished last come last."""
    rows = SafetyPlanItem.objects.filter(
        patient_id__in=patients().same_person(patient_id).values("pk"), plan__status=PlanStatus.CURRENT
    )
    return rows.select_related("plan").order_by("plan__finished_at", "section", "order")


def words_beside(ids: Iterable[UUID]) -> tuple[list[SafetyPlan], bool]:
    """Return the words that lie beside what is being written, the newest first, and whether older ones exist.

    Finishing ends their time for good, also when what was finished is no longer in force.
    """
    rows = SafetyPlan.objects.filter(patient_id__in=list(ids))
    finished = rows.filter(finished_at__gte=OuterRef("ended_at"))
    kept = rows.beside().filter(~Exists(finished)).select_related("authored_by", "ended_by")
    found = list(kept.order_by("-ended_at")[: MOST_BESIDE + 1])
    return found[:MOST_BESIDE], len(found) > MOST_BESIDE


def said_beside(ids: Iterable[UUID], spell: UUID, author_id: UUID) -> SafetyPlan | None:
    """Return what somebody's open page was given room for beside the plan, or None."""
    rows = SafetyPlan.objects.beside().filter(patient_id__in=list(ids), spell=spell, authored_by=author_id)
    return rows.order_by("-ended_at", "-pk").first()


def was_put_away(ids: Iterable[UUID], spell: UUID) -> bool:
    """Whether what one open page wrote was discarded or taken out of force, and it has not heard of it."""
    rows = SafetyPlan.objects.filter(patient_id__in=list(ids), spell=spell, ended_at__isnull=False)
    last = rows.order_by("-ended_at", "-pk").first()
    return last is not None and not last.is_beside


def at_hand(context: AccessContext, person: Patient) -> tuple[SafetyPlan | None, Lines]:
    """Return the version in force with its lines opened, in one query; the look is noted."""
    rows = _lines_in_force(person.pk)
    if not rows:
        return None, {}
    plan = rows[-1].plan
    context.saw(
        "safety_plan", subjects=[person.pk], object_type="crisis.SafetyPlan", object_id=plan.pk,
        sections=["card"],
    )  # fmt: skip
    return plan, opened_lines(context, [one for one in rows if one.plan_id == plan.pk], readable)


def current(ids: Iterable[UUID]) -> SafetyPlan | None:
    """Return the version in force, or None."""
    return next(iter(_current(list(ids))), None)


@kept
def _current(ids: list[UUID]) -> QuerySet[SafetyPlan]:
    return SafetyPlan.objects.current().filter(patient_id__in=ids).order_by("-finished_at")[:1]


def opened_lines(
    context: AccessContext, items: Sequence[SafetyPlanItem], get: Callable[..., Any] = getattr
) -> Lines:
    """Open the lines of a finished version, by section in their order.

    A card goes on (`readable`) where a line doesn't open; a form that begins with the lines must refuse.
    """
    context.open(items, ("text", "contact"))
    found: Lines = {}
    for one in sorted(items, key=lambda row: row.order):
        line = get(one, "text", UNREADABLE), get(one, "contact", UNREADABLE) or ""
        found.setdefault(one.section, []).append(line)
    return found


def draft_lines(context: AccessContext, draft: SafetyPlan) -> Lines:
    """Open the lines of a draft."""
    context.open([draft], ["draft"])
    kept = draft.draft or {}
    return {key: [(text, contact) for text, contact in rows] for key, rows in kept.items()}


def services_of(person: Patient, at: datetime) -> list[Line]:
    """Return the lines of step 5 that a new plan begins with: the service's desk, crisis lines, emergency.

    Numbers that somebody checked within 90 days come first, and alone where there are any.
    """
    house = person.organization
    found = resources_near(house.jurisdiction, house.pk)
    near = [one for one in found if one.is_verified_at(at)] or found
    lines = [(f"{one.name}, {one.hours}", one.phone or one.sms) for one in near if one.phone or one.sms]
    desk = str(house.settings.get("desk_phone", "")) if isinstance(house.settings, dict) else ""
    own = [(house.name, desk)] if desk else []
    last = [("Emergency, in danger now", house.emergency_number)] if house.emergency_number else []
    numbers = {number for _, number in last}
    return [*own, *(one for one in lines if one[1] not in numbers)][:MOST_SERVICES] + last


def versions(ids: Iterable[UUID]) -> list[SafetyPlan]:
    """Return the finished versions of a person, the newest first."""
    rows = SafetyPlan.objects.finished().filter(patient_id__in=list(ids))
    return list(
        rows.select_related("authored_by", "reviewed_by", "ended_by").order_by("-finished_at")[:VERSIONS]
    )


def version(ids: Iterable[UUID], plan_id: UUID, *, may_write: bool = False) -> SafetyPlan:
    """Return one finished version of a person, to who writes also words beside it; else NotFound."""
    rows = SafetyPlan.objects.finished()
    rows = rows | SafetyPlan.objects.beside() if may_write else rows
    rows = rows.filter(pk=plan_id, patient_id__in=list(ids))
    found = rows.select_related("authored_by", "reviewed_by", "ended_by").first()
    if found is None:
        raise NotFound
    return found


def lines_of(context: AccessContext, plan: SafetyPlan) -> Lines:
    """Open what a version or the words beside one say."""
    return draft_lines(context, plan) if plan.is_beside else opened_lines(context, items_of(plan))


def items_of(plan: SafetyPlan) -> list[SafetyPlanItem]:
    """Return the lines of a version."""
    return list(SafetyPlanItem.objects.filter(plan=plan))


def reviews_of(plan: SafetyPlan) -> list[SafetyPlanReview]:
    """Return when a version was found still right, the newest first."""
    return list(SafetyPlanReview.objects.filter(plan=plan).select_related("reviewed_by")[:VERSIONS])


def last_version(ids: Iterable[UUID]) -> int:
    """Return the highest number of a person's versions; 0 without one."""
    rows = SafetyPlan.objects.filter(patient_id__in=list(ids))
    return rows.aggregate(last=Max("version"))["last"] or 0


def due_for_review(at: datetime, limit: int = 5000) -> list[tuple[SafetyPlan, datetime]]:
    """Return the plans to look at again, and for when that was planned.

    Their time comes and their person is at medium or more, or the day of step 6 has come where the person
    lives and nobody looked since. Those about which a task is open already are left out, and those of people
    who have died or whom nobody sees any more: no team and no open alert.
    """
    asked = ReviewItem.objects.open().filter(reason_code=PLAN_REVIEW).values("patient_id")
    newest = RiskAssessment.objects.filter(patient_id=OuterRef("patient__person_id"))
    level = Subquery(newest.order_by("-computed_at", "-id").values("level")[:1])
    rows = SafetyPlan.objects.current().exclude(patient_id__in=asked).filter(_still_seen(at))
    # Of rows that were linked each may have its plan: the one finished last is the person's.
    newer = SafetyPlan.objects.current().filter(
        patient__person_id=OuterRef("patient__person_id"), finished_at__gt=OuterRef("finished_at")
    )
    rows = rows.exclude(Exists(newer))
    rows = rows.annotate(level=level)
    regular = Q(next_review_at__lte=at + rules.AHEAD, level__in=rules.WATCHED)
    # A day more on both sides, since a day begins elsewhere at another time; each is then looked at.
    means = Q(means_review_on__lte=(at + DAY).date(), reviewed_at__lt=F("means_review_on") + DAY)
    # Two questions, each with its index: one with an "or" would read every plan in force.
    found = {
        plan: _planned(plan, at)
        for due, order in ((regular, "next_review_at"), (means, "means_review_on"))
        for plan in rows.filter(due).select_related("patient__organization").order_by(order)[:limit]
    }
    return [(plan, planned) for plan, planned in found.items() if planned is not None]


def _still_seen(at: datetime) -> Q:
    """Return the condition on plans of people who live, as far as known, and whom somebody still sees."""
    person = {"patient__person_id": OuterRef("patient__person_id")}
    team = CareTeamMember.objects.running(at).filter(user__isnull=False, **person)
    alerts = RiskAlert.objects.filter(**person)
    ended = alerts.filter(resolved_at__isnull=False).exclude(status=Status.MERGED)
    last = Subquery(ended.order_by("-resolved_at").values("disposition")[:1])
    seen = Exists(team.exclude(role=CareRole.CAREGIVER)) | Exists(alerts.open())
    return Q(seen) & ~Q(Exact(Coalesce(last, Value("")), Disposition.DECEASED))


def _planned(plan: Any, at: datetime) -> datetime | None:
    means = rules.means_at(plan.means_review_on, plan.reviewed_at, zone_of(plan.patient.zone()))
    regular = plan.next_review_at if rules.is_watched(plan.level) else None
    times = [(regular, at + rules.AHEAD), (means, at)]
    return min((when for when, latest in times if when is not None and when <= latest), default=None)


def with_plans(patient_ids: Iterable[UUID]) -> set[UUID]:
    """Return who of these people has a plan in force."""
    rows: Any = SafetyPlan.objects.current().filter(patient_id__in=list(patient_ids))
    return set(rows.values_list("patient_id", flat=True))


def head(context: AccessContext, person: Patient, at: datetime) -> dict[str, Any]:
    """Return who it is and at which level, for whoever has no chart of the person open."""
    assessed = latest_assessment(person.person_id)
    return {
        "person": person_card(context, person, at=at, with_contacts=False),
        "level": assessed.level if assessed else "",
    }


def own_person(patient_id: UUID) -> Patient:
    """Return the person behind a device's token."""
    row = patient(patient_id)
    if row is None:
        raise NotFound
    return row if row.merged_into_id is None else patient(row.merged_into_id) or row
