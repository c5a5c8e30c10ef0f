"""Reads of welfare checks: what is asked, what was tried, whom the page opens, what was decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cortex.access.context import AccessContext, holds
from cortex.accounts.models import Role, User
from cortex.accounts.queries import active_users
from cortex.audit import Actor, NotFound
from crisis.alerts import moves
from crisis.alerts.models import Disposition, Level, RiskAlert
from crisis.reviews import queries as reviews
from crisis.reviews.contacts import Contact, next_step
from crisis.reviews.models import STANDING, WELFARE, FollowUp, FollowUpAttempt, ReviewItem, SecondReview
from crisis.risk.queries import latest_assessment
from crisis.welfare.models import FINAL, WelfareDecision
from patients.registry.access import VIEW, relations
from patients.registry.models import Patient
from patients.registry.queries import PersonCard, patient, person_card, rows_of

LISTED = 30


@dataclass(slots=True)
class Asked:
    """What a supervisor's page stands on."""

    item: ReviewItem
    person: Patient
    card: PersonCard
    level: str
    tries: list[FollowUpAttempt]
    contact: Contact
    earlier: list[WelfareDecision]


def item_of(actor: Actor, item_id: UUID) -> tuple[ReviewItem, Patient]:
    """Return a question, open or not, and whom it is about, to a supervisor of its house; else NotFound."""
    found = None
    if actor.role == Role.SUPERVISOR and actor.organization_id is not None:
        rows = ReviewItem.objects.filter(pk=item_id, reason_code=WELFARE, patient__isnull=False)
        found = rows.filter(organization_id=actor.organization_id).select_related("patient").first()
    if found is None or found.patient is None:
        raise NotFound
    return found, found.patient


def asked(context: AccessContext, item: ReviewItem, row: Patient, at: datetime) -> Asked:
    """Open the person of an open question, and what was tried; NotFound without a relationship to them."""
    if not may_open(context.actor, row.pk, at):
        raise NotFound
    person = row if row.merged_into_id is None else patient(row.person_id) or row
    ids = rows_of(person)
    card = person_card(context, person, at=at, with_contacts=True, with_places=True)
    attempts = tried(ids)
    context.open([one for one in attempts if holds(one, "note")], ["note"])
    earlier = list(decisions(ids)[:LISTED])
    for name in ("reason", "reference"):
        context.open([one for one in earlier if holds(one, name)], [name])
    assessed = latest_assessment(person.pk)
    state = reviews.contact_of(person, reviews.tries(ids, counted_since(ids)), at)
    return Asked(item, person, card, assessed.level if assessed else "", attempts, state, earlier)


def may_open(actor: Actor, patient_id: UUID, at: datetime) -> bool:
    """Whether the person of a question is open to an actor: the open question itself is a relationship."""
    return patient_id in relations(actor, {patient_id}, VIEW, at)


def tried(ids: Iterable[UUID]) -> list[FollowUpAttempt]:
    """Return the tries that nobody answered, of contacts that stand, the newest first."""
    rows = FollowUpAttempt.objects.filter(patient_id__in=list(ids), follow_up__status__in=STANDING)
    return list(rows.select_related("attempted_by").order_by("-attempted_at", "-pk")[:LISTED])


def decisions(ids: Iterable[UUID]) -> list[WelfareDecision]:
    """Return what was decided about a person, the newest first."""
    rows = WelfareDecision.objects.filter(patient_id__in=list(ids)).select_related("decided_by")
    return list(rows.order_by("-decided_at", "-pk")[:LISTED])


def decided_since(person: Patient, since: datetime, *, besides: UUID | None) -> WelfareDecision | None:
    """Return the decision to send a check or none that somebody else took since; trying again is none."""
    rows = WelfareDecision.objects.filter(patient_id__in=rows_of(person), decided_at__gte=since)
    rows = rows.exclude(decided_by=besides)
    return rows.filter(decision__in=FINAL).select_related("decided_by").order_by("-decided_at").first()


def is_lost(alert: RiskAlert, disposition: str | None) -> bool:
    """Whether an alert ends because somebody in critical danger could not be located (domain 3.4)."""
    return disposition == Disposition.UNABLE_TO_LOCATE and alert.level == Level.CRITICAL


def refuse_undecided(actor: Actor, alert: RiskAlert, review: SecondReview) -> None:
    """Refuse to agree that somebody in critical danger could not be located (domain 3.4).

    Only a supervisor agrees to that, and only once it was decided, since the level rose last, whether a
    welfare check is sent.
    """
    if not is_lost(alert, review.request.get("disposition")):
        return
    if actor.role != Role.SUPERVISOR:
        raise moves.conflict(
            actor,
            alert,
            "A supervisor has to decide this, with a word on the welfare check.",
            "supervisor_needed",
        )
    person = alert.patient
    if person is None or decided_since(person, alert.level_since, besides=review.asked_by_id) is None:
        raise moves.conflict(
            actor,
            alert,
            "Decide on a welfare check first: send one, or say why none is sent. Then agree.",
            "welfare_undecided",
        )


def last_final(ids: Iterable[UUID]) -> datetime | None:
    """Return when it was decided last to send a check or none: tries from then on count anew."""
    rows = WelfareDecision.objects.filter(patient_id__in=list(ids), decision__in=FINAL)
    return rows.order_by("-decided_at").values_list("decided_at", flat=True).first()


def counted_since(ids: Iterable[UUID]) -> datetime | None:
    """Return from when on unanswered tries count: the last decision, or when the person was reached last."""
    rows = list(ids)
    return max(filter(None, (last_final(rows), reviews.reached_at(rows))), default=None)


def next_contact(person: Patient, at: datetime) -> str:
    """Return what to do next about the contacts that this person was promised and nobody made.

    What was tried before a check was sent or decided against, or before the person was reached by another
    way, does not ask for another one.
    """
    ids = rows_of(person)
    attempts = reviews.tries(ids, counted_since(ids))
    contact = reviews.contact_of(person, attempts, at)
    return next_step(attempts, contact, is_asked=open_item(ids) is not None)


def put_off_until(ids: Iterable[UUID]) -> datetime | None:
    """Return until when the newest decision lets the person be tried again; None for any other decision."""
    rows = WelfareDecision.objects.filter(patient_id__in=list(ids)).order_by("-decided_at")
    return rows.values_list("again_by", flat=True).first()


def open_item(ids: Iterable[UUID]) -> ReviewItem | None:
    """Return the open question about a person."""
    rows = ReviewItem.objects.open().filter(patient_id__in=list(ids), reason_code=WELFARE)
    return rows.order_by("due_at").first()


def follow_up_of(item: ReviewItem) -> FollowUp | None:
    """Return the contact that a question came of, locked; None where an alert's end asked it."""
    if item.source_type != "follow_up" or item.source_id is None:
        return None
    rows = FollowUp.objects.select_for_update(of=("self",)).filter(pk=item.source_id)
    return rows.select_related("alert").first()


def supervisors(organization_id: UUID) -> list[UUID]:
    """Return the supervisors of a house, on shift or not."""
    found: Iterable[User] = active_users(organization_id=organization_id, roles=[Role.SUPERVISOR])
    return [one.pk for one in found]
