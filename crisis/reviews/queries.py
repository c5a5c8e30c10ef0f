"""Reads of review items, follow-ups and second readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Value
from django.db.models.functions import Now

from cortex.accounts.models import Organization, User
from cortex.audit import Actor, NotFound
from cortex.clock import clock
from cortex.ops.postgres.questions import kept
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.duty.queries import desk_organizations
from crisis.resources.models import CrisisResource
from crisis.reviews.contacts import Attempt, Contact, contact_state
from crisis.reviews.models import (
    RISK_REVIEWS,
    STANDING,
    WELFARE,
    FollowUp,
    FollowUpAttempt,
    FollowUpStatus,
    ReviewItem,
    SecondReview,
)
from patients.codes import MET, SessionKind
from patients.contacts.queries import exception_runs, on_record
from patients.covers.queries import lent_to, stands_in_for
from patients.privacy.queries import has_consent
from patients.registry.models import Patient
from patients.registry.queries import lock_with_record
from patients.sessions.models import Session

# A follow-up call may be made all day long before it counts as missed.
GRACE = timedelta(hours=24)


def is_pending(alert_id: UUID) -> bool:
    """Whether a second reader was asked about this alert and has not decided."""
    return pending_of(alert_id) is not None


def alert_of_review(review_id: UUID) -> UUID:
    """Return the alert that a second review, open or not, is about; NotFound otherwise."""
    alert_id = SecondReview.objects.filter(pk=review_id).values_list("alert_id", flat=True).first()
    if alert_id is None:
        raise NotFound("This second review is not open.", "not_found")
    return alert_id


def pending_review(review_id: UUID) -> SecondReview:
    """Return a second review that waits for its decision; NotFound otherwise. Its alert's lock guards it."""
    review = (
        SecondReview.objects.select_related("alert").filter(pk=review_id, decided_at__isnull=True).first()
    )
    if review is None:
        raise NotFound("This second review is not open.", "not_found")
    return review


def linked_by(user_id: UUID | None, item: ReviewItem) -> bool:
    """Whether somebody said who a task's person is, since it was made or just before."""
    said = AlertEvent.objects.filter(kind="person_linked", actor_id=user_id)
    whose = Q(alert_id=item.source_id) | Q(
        alert__patient__person_id=item.patient.person_id if item.patient else None,
        occurred_at__gte=item.created_at - timedelta(minutes=1),
    )
    return said.filter(whose).exists()


def alert_ended_by(alert_id: UUID) -> UUID | None:
    """Return who had an alert when it ended; None for nobody."""
    return RiskAlert.objects.filter(pk=alert_id).values_list("assigned_to_id", flat=True).first()


def pending_of(alert_id: UUID) -> SecondReview | None:
    """Return the open second review of an alert."""
    return next(iter(_pending_of(alert_id)), None)


@kept
def _pending_of(alert_id: UUID) -> QuerySet[SecondReview]:
    rows = SecondReview.objects.filter(alert_id=alert_id, decided_at__isnull=True)
    return rows.select_related("asked_by").order_by("pk")


def pending_for(user: User) -> QuerySet[SecondReview]:
    """Return the second readings that others wait for; `user` is never the reader of their own question."""
    return SecondReview.objects.filter(decided_at__isnull=True).exclude(asked_by=user)


def waiting_for(user: User, organizations: Iterable[UUID], limit: int = 20) -> list[SecondReview]:
    """Return the second readings that others asked for on this desk, the most urgent first."""
    return list(
        pending_for(user)
        .filter(organization_id__in=list(organizations))
        .select_related("alert__patient", "asked_by")
        .order_by("due_at")[:limit]
    )


def pending_ids(organizations: list[UUID]) -> dict[UUID, list[UUID]]:
    """Return for each organization the ids of its second readings that wait, in one query."""
    found: dict[UUID, list[UUID]] = {}
    waiting = SecondReview.objects.filter(organization_id__in=organizations, decided_at__isnull=True)
    for organization_id, review_id in waiting.values_list("organization_id", "pk"):
        found.setdefault(organization_id, []).append(review_id)
    return found


def due_rows(organizations: list[UUID], until: datetime) -> dict[UUID, list[tuple[UUID, int]]]:
    """Return for each organization what is due by `until`: tasks and promised contacts, in one query."""
    tasks = ReviewItem.objects.open().filter(organization_id__in=organizations, due_at__lte=until)
    contacts = FollowUp.objects.filter(
        organization_id__in=organizations, status__in=STANDING, due_at__lte=until
    )
    both = tasks.values_list("organization_id", "pk", "escalations").union(
        contacts.values_list("organization_id", "pk", Value(0)), all=True
    )
    found: dict[UUID, list[tuple[UUID, int]]] = {}
    for organization_id, pk, escalations in both:
        found.setdefault(organization_id, []).append((pk, escalations))
    return found


def due_list(organizations: Iterable[UUID], until: datetime, limit: int = 50) -> list[ReviewItem]:
    """Return what `due_items` finds with whom it is about, the most often escalated and overdue first."""
    rows = due_items(organizations, until).select_related("patient", "owner")
    return list(rows.order_by("-escalations", "due_at")[:limit])


def items(user: User, organizations: Iterable[UUID], which: str) -> QuerySet[ReviewItem]:
    """Return the person's and their desk's items, open (most overdue first) or done (latest first)."""
    found = ReviewItem.objects.select_related("patient", "owner").filter(
        Q(organization_id__in=list(organizations)) | Q(owner=user) | _lent(user)
    )
    if which == "done":
        return found.filter(done_at__isnull=False).order_by("-done_at")
    return found.filter(done_at__isnull=True).order_by("due_at")


def item_for(user: User, organizations: Iterable[UUID], item_id: UUID) -> ReviewItem:
    """Return one review item that the person owns, covers, or whose desk they sit at; NotFound otherwise."""
    items = ReviewItem.objects.select_related("patient", "owner", "done_by").filter(pk=item_id)
    own = items.filter(Q(owner=user) | _lent(user))
    item = items.filter(organization_id__in=list(organizations)).first() or own.first()
    if item is None:
        raise NotFound("This task does not exist, or it is not yours.", "not_found")
    return item


def risk_review_of(item_id: UUID) -> UUID | None:
    """Return the person whose level a task asks about; None when it asks something else."""
    found = ReviewItem.objects.filter(pk=item_id, reason_code__in=RISK_REVIEWS, patient__isnull=False)
    return found.values_list("patient_id", flat=True).first()


def kind_of(item_id: UUID) -> tuple[str, UUID | None]:
    """Return the reason and the organization of a task; empty without one."""
    found = ReviewItem.objects.filter(pk=item_id).values_list("reason_code", "organization_id").first()
    return found or ("", None)


def locked_item(item_id: UUID) -> ReviewItem | None:
    """Lock and return a review item."""
    return ReviewItem.objects.select_for_update(of=("self",)).filter(pk=item_id).first()


def overdue_item_ids(at: datetime, limit: int = 100) -> list[UUID]:
    """Return the ids of items whose escalation is due."""
    return list(
        ReviewItem.objects.overdue(at).order_by("next_escalation_at").values_list("pk", flat=True)[:limit]
    )


def passed_follow_up_ids(at: datetime, limit: int = 100) -> list[UUID]:
    """Return the ids of follow-ups that passed without a contact and are not marked as missed yet."""
    return list(
        FollowUp.objects.filter(status=FollowUpStatus.DUE, due_at__lte=at - GRACE)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )


def locked_follow_up(follow_up_id: UUID) -> FollowUp | None:
    """Lock the person, then the follow-up, and return it; None when absent."""
    found = FollowUp.objects.filter(pk=follow_up_id)
    for patient_id in found.values_list("patient_id", flat=True):
        lock_with_record(patient_id)
    return found.select_for_update(of=("self",)).select_related("patient").first()


def has_missed(patient_id: UUID) -> bool:
    """Whether a follow-up of this person was missed and still stands."""
    return FollowUp.objects.filter(patient_id=patient_id, status=FollowUpStatus.MISSED).exists()


def open_item_of(patient_id: UUID, reason_code: str) -> ReviewItem | None:
    """Lock and return the open task of a person for this reason."""
    return (
        ReviewItem.objects.select_for_update(of=("self",))
        .open()
        .filter(patient_id=patient_id, reason_code=reason_code)
        .first()
    )


def open_reasons(
    patient_ids: Iterable[UUID], reason_codes: Iterable[str], made_by: datetime
) -> list[tuple[UUID, str]]:
    """Return (row, reason) of the open tasks of these rows and reasons that were made by a time."""
    rows = ReviewItem.objects.open().filter(
        patient_id__in=list(patient_ids), reason_code__in=list(reason_codes), created_at__lte=made_by
    )
    return list(rows.order_by("created_at", "pk").values_list("patient_id", "reason_code"))  # type: ignore[arg-type]


def tries(ids: Iterable[UUID], since: datetime | None = None) -> list[Attempt]:
    """Return (when, channel) of tries that nobody answered since, of contacts that stand; `ids`: all rows."""
    tried = FollowUpAttempt.objects.filter(patient_id__in=list(ids), follow_up__status__in=STANDING)
    if since is not None:
        tried = tried.filter(attempted_at__gt=since)
    return list(tried.order_by("attempted_at", "pk").values_list("attempted_at", "channel"))


def reached_at(ids: Iterable[UUID]) -> datetime | None:
    """Return when it was written down last that a person was reached, by whatever way; `ids`: all rows."""
    rows = list(ids)
    promised = FollowUp.objects.filter(patient_id__in=rows, outcome="reached")
    called = AlertEvent.objects.filter(alert__patient_id__in=rows, kind="contact_made")
    asked = ReviewItem.objects.filter(patient_id__in=rows, outcome="contacted")
    met = Session.objects.filter(patient_id__in=rows, kind=SessionKind.THERAPY, status__in=MET)
    times = (
        promised.aggregate(at=Max("done_at"))["at"],
        called.aggregate(at=Max("occurred_at"))["at"],
        asked.aggregate(at=Max("done_at"))["at"],
        met.aggregate(at=Max("started_at"))["at"],
    )
    return max(filter(None, times), default=None)


def contact_of(person: Patient, attempts: list[Attempt], at: datetime) -> Contact:
    """Return how it stands with a person's emergency contact: tried, open by consent or danger.

    The consent is the person's, whichever of their rows was promised a contact.
    """
    allowed = has_consent(person.person_id, "emergency_contact", at) or exception_runs(person.person_id, at)
    return contact_state(attempts, allowed=allowed, on_record=on_record(person.person_id).exists())


def welfare_asked_by(alert_id: UUID) -> UUID | None:
    """Return of which follow-up after this alert an open question about a welfare check came."""
    promised = FollowUp.objects.filter(alert_id=alert_id).values("pk")
    asked = ReviewItem.objects.open().filter(reason_code=WELFARE, source_id__in=promised)
    return asked.values_list("source_id", flat=True).first()


def due_for_supervisor(at: datetime, limit: int = 100) -> list[UUID]:
    """Return the follow-ups about which a supervisor is asked now: nobody was reached (domain 3.9)."""
    rows = FollowUp.objects.filter(supervisor_at__lte=at, status__in=STANDING)
    return list(rows.order_by("supervisor_at").values_list("pk", flat=True)[:limit])


def refuse_stranger(actor: Actor, row: ReviewItem | FollowUp | None) -> None:
    """Raise NotFound for what isn't there, and for who doesn't own it, cover its owner or sit at its desk."""
    if row is not None:
        if actor.is_system or (row.owner_id is not None and row.owner_id == actor.id):
            return
        if row.organization_id in desk_organizations(actor.person):
            return
        if stands_in_for(actor.person, row.patient_id, row.owner_id, clock()):
            return
    raise NotFound("This does not exist, or it is not yours.", "not_found")


def _theirs(user: User, organizations: Iterable[UUID]) -> QuerySet[FollowUp]:
    """What was promised by a person or whom they cover, on shift or not, or by the desk that they sit at."""
    own = Q(owner=user) | _lent(user)
    return FollowUp.objects.filter(Q(organization_id__in=list(organizations)) | own)


def _lent(user: User) -> Q:
    """What people whom the user covers own about the covered, under any row; owners lead an index to it."""
    owners, people = lent_to(user, Now())
    if not owners:
        return Q(pk__in=[])
    # No join: beside what is the desk's and one's own it would hide the indexes of all three.
    return Q(owner_id__in=owners, patient_id__in=Patient.objects.filter(person_id__in=people).values("pk"))


def follow_ups(
    user: User, organizations: Iterable[UUID], until: datetime, limit: int = 100
) -> list[FollowUp]:
    """Return the person's own follow-ups and their desk's that stand until `until`, earliest first."""
    return list(
        _theirs(user, organizations)
        .filter(status__in=STANDING, due_at__lte=until)
        .select_related("patient", "owner", "alert")
        .annotate(tries=Count("attempts"))
        .order_by("due_at")[:limit]
    )


def follow_ups_of(alert_id: UUID) -> list[FollowUp]:
    """Return the follow-ups that an alert's end promised."""
    rows = FollowUp.objects.filter(alert_id=alert_id).select_related("owner", "checks")
    return list(rows.order_by("due_at"))


def follow_up_of_desk(organizations: Iterable[UUID], user: User, follow_up_id: UUID) -> FollowUp:
    """Return one follow-up of the person's desk or own; NotFound otherwise."""
    row = (
        _theirs(user, organizations)
        .select_related("patient", "owner", "alert")
        .annotate(tries=Count("attempts"))
        .filter(pk=follow_up_id)
        .first()
    )
    if row is None:
        raise NotFound("This follow-up does not exist, or it is not yours.", "not_found")
    return row


def organizations_with_stale_lines(at: datetime) -> list[UUID]:
    """Return the organizations in whose jurisdiction a crisis line is due for a check."""
    stale = CrisisResource.objects.due_for_check(at).values("jurisdiction")
    return list(
        Organization.objects.serving()
        .filter(jurisdiction__in=stale)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def due_follow_ups(user_id: UUID, organizations: Iterable[UUID], until: datetime) -> QuerySet[FollowUp]:
    """Return the rows of the person's own follow-ups and their desk's that are due by `until`."""
    rows = FollowUp.objects.filter(Q(organization_id__in=list(organizations)) | Q(owner_id=user_id))
    return rows.filter(status__in=STANDING, due_at__lte=until)


def open_of_people(patient_ids: Iterable[UUID], reasons: Iterable[str]) -> list[ReviewItem]:
    """Return the open tasks of these rows of people for these reasons with owners, the earliest due first."""
    rows = ReviewItem.objects.open().filter(patient_id__in=list(patient_ids), reason_code__in=list(reasons))
    return list(rows.select_related("owner").order_by("due_at"))


def due_items(organizations: Iterable[UUID], until: datetime) -> QuerySet[ReviewItem]:
    """Return the rows of the open review items of these organizations that are due by `until`."""
    return ReviewItem.objects.open().filter(organization_id__in=list(organizations), due_at__lte=until)


def due_items_of(user_id: UUID, organizations: Iterable[UUID], until: datetime) -> QuerySet[ReviewItem]:
    """Return the rows of the person's own open review items and their desk's that are due by `until`."""
    rows = ReviewItem.objects.open().filter(due_at__lte=until)
    return rows.filter(Q(organization_id__in=list(organizations)) | Q(owner_id=user_id))
