"""Reads of alerts shaped for actions and pages; each starts at what the person may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Organization, Role, User
from cortex.audit import NotFound
from cortex.audit.actors import Actor
from cortex.live.models import Feed
from cortex.ops.postgres.questions import kept
from crisis.alerts import access
from crisis.alerts.models import AlertEvent, Level, RiskAlert
from crisis.alerts.states import Move, Status, after
from crisis.duty import queries as duty
from crisis.reviews import queries as reviews
from crisis.reviews.models import STANDING
from patients.registry.queries import lock_free_people, lock_person

DAY = timedelta(hours=24)
GONE = "This alert does not exist, or it is not open to you."
# What whoever decides about an alert must have seen: each may change the decision.
NEWS = (
    "level_raised",
    "renotified",
    "evidence_added",
    "note",
    "merged_in",
    "person_linked",
    "person_unlinked",
)


def locked_alert(alert_id: UUID) -> RiskAlert:
    """Lock the person, then the alert (the one order of locks), and return it; NotFound when absent."""
    for patient_id in _person(alert_id):
        if patient_id is not None:
            lock_person(patient_id)
    for alert in _locked(alert_id):
        return alert
    raise NotFound(GONE, "not_found")


@kept
def _person(alert_id: UUID) -> QuerySet[RiskAlert, UUID | None]:
    return RiskAlert.objects.filter(pk=alert_id).values_list("patient_id", flat=True)


@kept
def _locked(alert_id: UUID) -> QuerySet[RiskAlert]:
    rows = RiskAlert.objects.select_for_update(of=("self",)).filter(pk=alert_id)
    return rows.select_related("assigned_to", "organization", "patient")


def locked_at_once(alert_ids: Iterable[UUID]) -> dict[UUID, RiskAlert]:
    """Lock the people, then those of these alerts that nobody else holds, and return them by id; never waits.

    Who works on a person at this moment keeps them, and nobody of the others waits for it.
    """
    ids = list(alert_ids)
    people = lock_free_people(RiskAlert.objects.filter(pk__in=ids).values("patient_id"))
    alerts = RiskAlert.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "assigned_to", "organization"
    )
    ours = Q(patient__isnull=True) | Q(patient__person_id__in=people)
    return {alert.pk: alert for alert in alerts.filter(ours, pk__in=ids).order_by("pk")}


def is_about_nobody(alert_id: UUID) -> bool:
    """Whether an alert is an incident of the service, with no person behind it."""
    return RiskAlert.objects.filter(pk=alert_id, patient__isnull=True).exists()


def open_of_kind(organization_id: UUID, person_id: UUID | None, kind: str) -> RiskAlert | None:
    """Lock and return the open alert of this kind: a person's, or the organization's when nobody's.

    A person's stands on whichever of their rows it was raised on.
    """
    found = _about_nobody(organization_id, kind) if person_id is None else _of_person(person_id, kind)
    return next(iter(found), None)


@kept
def _about_nobody(organization_id: UUID, kind: str) -> QuerySet[RiskAlert]:
    return _locked_open().filter(organization_id=organization_id, patient__isnull=True, kind=kind)


@kept
def _of_person(person_id: UUID, kind: str) -> QuerySet[RiskAlert]:
    return _locked_open().filter(patient__person_id=person_id, kind=kind)


def _locked_open() -> QuerySet[RiskAlert]:
    alerts = RiskAlert.objects.select_for_update(of=("self",)).select_related("assigned_to")
    return alerts.open().order_by("pk")


def owned(user: User) -> list[RiskAlert]:
    """Return the open alerts that the person has: their states and their clocks."""
    return list(RiskAlert.objects.owned().filter(assigned_to=user).only("status", "policy"))


def may_raise_for(user: User) -> set[UUID]:
    """Return the organizations for which the person may raise an alert by hand."""
    own = {user.organization_id} if user.organization_id and user.role in DESK_ROLES else set()
    return access.desk_organizations(user) | own


def locked_open_of(person_id: UUID) -> list[RiskAlert]:
    """Lock and return the open alerts on all rows of a person who is already locked, by id."""
    return _all_of_person(person_id)


@kept
def _all_of_person(person_id: UUID) -> QuerySet[RiskAlert]:
    return _locked_open().filter(patient__person_id=person_id)


def held_with(actor: Actor, alert: RiskAlert, move: Move) -> list[RiskAlert]:
    """Lock and return the other open alerts of the person that this actor owns and whose state allows a move.

    The alert's person is locked already.
    """
    if alert.person_id is None or actor.id is None:
        return []
    others = [one for one in locked_open_of(alert.person_id) if one.pk != alert.pk]
    return held_by(actor.id, others, move)


def held_by(owner_id: UUID | None, alerts: Iterable[RiskAlert], move: Move) -> list[RiskAlert]:
    """Return those of these alerts that this person owns and whose state allows a move."""
    return [one for one in alerts if one.assigned_to_id == owner_id and after(one.status, move)]


def open_beside(user: User, alert: RiskAlert, relationship: str) -> list[RiskAlert]:
    """Return the person's other open alerts that a reader of this one may see, the most urgent first.

    Their relationship to the person opens them all, but for a second reading, which opens its own alone.
    """
    if alert.person_id is None:
        return []
    theirs = RiskAlert.objects.open().filter(patient__person_id=alert.person_id).exclude(pk=alert.pk)
    if relationship in ("", access.SECOND_REVIEW):
        theirs = theirs.filter(pk__in=access.cards_for(user).values("pk"))
    return list(theirs.for_cards().urgent_first())


def refuse_strangers(actor: Actor, alert: RiskAlert, at: datetime, *, cards: bool = False) -> None:
    """Raise NotFound unless the person sees the alert's page (or, with `cards`, its card)."""
    if actor.is_system:
        return
    if actor.user is None:
        raise NotFound(GONE, "not_found")
    if cards and access.cards_for(actor.user).filter(pk=alert.pk).exists():
        return
    if not access.pages_for(actor.user, at).filter(pk=alert.pk).exists():
        raise NotFound(GONE, "not_found")


def news_after(alert_id: UUID, seen: int) -> list[AlertEvent]:
    """Return the events after a feed number that whoever decides about an alert must know of, in order."""
    events = AlertEvent.objects.filter(alert_id=alert_id, feed_number__gt=seen, kind__in=NEWS)
    return list(events.order_by("feed_number"))


def with_follow_ups(alert: RiskAlert) -> list[RiskAlert]:
    """Return the alerts of the same person whose end promised contacts that stand: due, or missed."""
    theirs = RiskAlert.objects.filter(patient__person_id=alert.person_id)
    return list(theirs.filter(follow_ups__status__in=STANDING).distinct())


def evidence_of_others(alert: RiskAlert) -> set[UUID]:
    """Return the rows of the ledger that other open alerts of the same person rest on."""
    others = RiskAlert.objects.open().filter(patient__person_id=alert.person_id).exclude(pk=alert.pk)
    return {row for rows in others.values_list("evidence", flat=True) for row in rows}


def last_resolved(alert: RiskAlert) -> datetime | None:
    """Return when an earlier alert of this person and kind was last resolved."""
    theirs = RiskAlert.objects.filter(patient__person_id=alert.person_id, kind=alert.kind)
    earlier = theirs.filter(status=Status.RESOLVED).exclude(pk=alert.pk)
    return earlier.aggregate(last=Max("resolved_at"))["last"]


def owner_facts(alert: RiskAlert) -> dict[str, Any]:
    """Return who has an alert since when, for the one who came second."""
    owner: User | None = alert.assigned_to
    return {
        "owner": owner.full_name if owner else None,
        "owner_id": str(owner.pk) if owner else None,
        "since": alert.claimed_at.isoformat() if alert.claimed_at else None,
        "state": alert.status,
    }


def active_user(user_id: UUID) -> User | None:
    """Return a member of staff whose account is open."""
    return User.objects.reaching().filter(pk=user_id, is_active=True).first()


def may_hear(user: User, key: str) -> bool:
    """Whether the person's duty covers the organization `key` now."""
    return key in {str(one) for one in access.desk_organizations(user)}


def listeners(key: str, user_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these people whose duty covers the organization `key` now.

    Three queries, one more where the organization names leads.
    """
    ids = set(user_ids)
    staff = User.objects.filter(pk__in=ids, is_active=True, role__in=DESK_ROLES)
    on_shift = duty.covering_users(UUID(key), ids)
    supervising = staff.filter(organization_id=UUID(key), role=Role.SUPERVISOR).values_list("pk", flat=True)
    return on_shift | set(supervising) | ids.intersection(duty.lead_ids(UUID(key)))


def heads(keys: Sequence[str]) -> dict[str, int]:
    """Return the last feed number of each organization, in one query."""
    return {
        str(pk): number
        for pk, number in Feed.objects.filter(pk__in=[UUID(key) for key in keys]).values_list("pk", "number")
    }


def topics(organizations: Iterable[UUID]) -> dict[str, int]:
    """Return where the boards of these organizations stand; ask before anything that the page shows.

    What commits between this and the page's own reads is then replayed, and the page ignores what it has; the
    other way round it would be skipped for good, and acknowledged.
    """
    ids = [str(one) for one in organizations]
    numbers = heads(ids)
    return {f"board:{one}": numbers.get(one, 0) for one in ids}


def desk_topics(user: User) -> dict[str, int]:
    """Return the boards that the person may hear and where they stand; see `topics`."""
    return topics(sorted(access.desk_organizations(user)))


def is_of(organization_id: UUID, alert_id: UUID) -> bool:
    """Whether an alert is one of the organization's."""
    return RiskAlert.objects.filter(organization_id=organization_id, pk=alert_id).exists()


def unheard_of(alert_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these alerts nobody has confirmed yet, or not the last step of."""
    asked = RiskAlert.objects.filter(pk__in=list(alert_ids))
    return set(asked.filter(Q(status=Status.NEW) | Q(has_unconfirmed_step=True)).values_list("pk", flat=True))


def marks(organizations: Iterable[UUID], at: datetime) -> dict[str, dict[str, str]]:
    """Return for each organization a mark of each list beside its board, in four queries.

    They are its shift, its second readings, and what is due or has ended within a day. A mark changes when
    the list does and says nothing else. Ask before the list, as with `topics`.
    """
    ids = list(organizations)
    shifts, readings = duty.shifts_of(ids), reviews.pending_ids(ids)
    due, ended = reviews.due_rows(ids, at + DAY), _ended_ids(ids, at - DAY)
    return {
        str(one): {
            "shift": _mark(shifts.get(one, ())),
            "readings": _mark(readings.get(one, ())),
            "today": _mark([*due.get(one, ()), *ended.get(one, ())]),
        }
        for one in ids
    }


def late_mark(since: datetime | None) -> str:
    """Return the mark of what a board says about late alerts, which is the same for all."""
    return _mark([since])


def _ended_ids(organizations: list[UUID], since: datetime) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    ended = RiskAlert.objects.filter(organization_id__in=organizations, resolved_at__gt=since)
    for organization_id, pk in ended.values_list("organization_id", "pk"):
        found.setdefault(organization_id, []).append(pk)
    return found


def _mark(rows: Iterable[object]) -> str:
    return blake2s(repr(sorted(map(str, rows))).encode(), digest_size=6).hexdigest()


def waiting_ids(organizations: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """Return (alert, organization) of the critical alerts that wait for a claim, the most urgent first."""
    waiting = RiskAlert.objects.waiting().filter(organization_id__in=organizations, level=Level.CRITICAL)
    return list(waiting.urgent_first().values_list("pk", "organization_id"))


def waiting_cards(alert_ids: Iterable[UUID]) -> list[RiskAlert]:
    """Return those of these alerts that still wait, with all that a card shows, the most urgent first."""
    return list(RiskAlert.objects.waiting().filter(pk__in=list(alert_ids)).for_cards().urgent_first())


def open_of_people(patient_ids: Iterable[UUID]) -> list[RiskAlert]:
    """Return the open alerts of these rows of people, the newest first, with their owners."""
    rows = RiskAlert.objects.open().filter(patient_id__in=list(patient_ids))
    return list(rows.select_related("assigned_to").order_by("-raised_at"))


def events_after(key: str, number: int, limit: int) -> list[AlertEvent]:
    """Return the events of an organization's feed after `number`, in order."""
    events = AlertEvent.objects.filter(organization_id=key, feed_number__gt=number)
    return list(events.order_by("feed_number")[:limit])


def alerts_of(events: Iterable[AlertEvent]) -> list[RiskAlert]:
    """Return the alerts of these events as they stand now, each once, ready for their cards."""
    return list(RiskAlert.objects.for_cards().filter(pk__in={event.alert_id for event in events}))


def organization_names(ids: Iterable[UUID]) -> list[str]:
    """Return the names of organizations, sorted."""
    return list(Organization.objects.filter(pk__in=list(ids)).order_by("name").values_list("name", flat=True))


def open_count() -> int:
    """Return how many alerts are open in the whole house, for the demo's simulator."""
    return RiskAlert.objects.open().count()
