"""Who sees which alert: cards by duty, pages by claim, supervision, question, owed contact or care team."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery, UUIDField

from cortex.accounts import reach
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role, User
from cortex.clock import Moment, before
from crisis.alerts.models import RiskAlert, RiskAlertQuerySet
from crisis.alerts.states import OPEN
from crisis.duty import queries as duty
from crisis.duty.queries import READERS, desk_organizations
from crisis.reviews import queries as reviews
from crisis.reviews.models import STANDING, WELFARE, FollowUp, ReviewItem
from crisis.stepdown.models import StepDown
from patients.registry import access as registry_access
from patients.registry.models import Patient
from patients.registry.queries import patients
from patients.sessions.retention import register_hold

# Domain 1.2: what a claim opened stays open this long after the alert has ended.
AFTER_END = timedelta(hours=24)
# Whoever owes a contact looks the person up beforehand.
AHEAD = timedelta(hours=24)
SECOND_REVIEW = "second_review"
STEP_DOWN = "step_down"
WELFARE_CHECK = "welfare_check"
# A question to a second reader opens what it asks about, and none of the person's other pages.
QUESTIONS = frozenset({SECOND_REVIEW, STEP_DOWN, WELFARE_CHECK})


def cards_for(user: User) -> RiskAlertQuerySet:
    """Return the alerts whose coded card the person sees."""
    return RiskAlert.objects.filter(organization_id__in=desk_organizations(user))


def claimed_q(user: Any, at: Moment, prefix: str = "") -> Q:
    """Return the condition "claimed by this person, and open or ended less than a day ago"."""
    fresh = Q(**{f"{prefix}status__in": OPEN}) | Q(**{f"{prefix}resolved_at__gt": before(at, AFTER_END)})
    return Q(**{f"{prefix}assigned_to": user}) & fresh


def pages_for(user: User, at: Moment) -> RiskAlertQuerySet:
    """Return the alerts whose page, with the person behind it, this member of staff may open.

    Every alert of the people whom they may see, of nobody's those of their desk, and of the people whom a
    second review alone opens just the alert that it is about.
    """
    if user.role not in DESK_ROLES:
        return RiskAlert.objects.none()
    people = patients().visible_to(user, at, besides=QUESTIONS).values("pk")
    scope = Q(patient__in=people) | Q(patient__isnull=True, organization_id__in=desk_organizations(user))
    asked = second_reviews(user, at)
    if asked is not None:
        scope |= Q(pk__in=asked.values("pk"), patient__in=registry_access.visible_to(user, at).values("pk"))
    return RiskAlert.objects.filter(scope)


def claims(user: User, at: Moment) -> RiskAlertQuerySet | None:
    """Return the crisis part of the one predicate: people with a claim that is open or ended within a day."""
    if user.role not in DESK_ROLES:
        return None
    return RiskAlert.objects.filter(claimed_q(user, at), patient__isnull=False)


def supervision(user: User, at: Moment) -> RiskAlertQuerySet | None:
    """Return the supervisor's part: people of their organization with an open or freshly ended alert."""
    if user.role != Role.SUPERVISOR:
        return None
    fresh = Q(status__in=OPEN) | Q(resolved_at__gt=before(at, AFTER_END))
    return RiskAlert.objects.filter(fresh, organization_id=user.organization_id, patient__isnull=False)


def follow_ups(user: User, at: Moment) -> QuerySet[FollowUp] | None:
    """Return the part of who owes a contact: from a day before it is due until it is made (domain 3.9)."""
    if user.role not in DESK_ROLES:
        return None
    return FollowUp.objects.filter(owner=user, status__in=STANDING, due_at__lt=before(at, -AHEAD))


def second_reviews(user: User, at: Moment) -> RiskAlertQuerySet | None:
    """Return the reader's part: alerts of their desk on which somebody else waits for a second reading."""
    if user.role not in READERS:
        return None
    asked = reviews.pending_for(user).values("alert")
    return RiskAlert.objects.filter(_desk_q(user), pk__in=asked, patient__isnull=False)


def step_downs(user: User, at: Moment) -> QuerySet[StepDown] | None:
    """Return the reader's part: people of their own house whose step down from critical somebody asked for.

    Like a second reading of an alert it opens them to who supervises, leads or is on shift there.
    """
    if user.role not in READERS:
        return None
    asked = StepDown.objects.filter(decided_at__isnull=True, organization_id=user.organization_id)
    return asked.filter(_desk_q(user)).exclude(asked_by=user)


def welfare_checks(user: User, at: Moment) -> QuerySet[ReviewItem] | None:
    """Return the supervisor's part: people of their house who may need a welfare check, to decide on it."""
    if user.role != Role.SUPERVISOR:
        return None
    return ReviewItem.objects.open().filter(
        organization_id=user.organization_id, reason_code=WELFARE, patient__isnull=False
    )


def _desk_q(user: User) -> Q:
    """Return the condition "of the desk at which this reader may decide"."""
    desk = Q(organization_id__in=duty.organizations_covered(user.pk).values("pk"))
    if user.role == Role.SUPERVISOR:
        return desk | Q(organization_id=user.organization_id)
    return desk | Q(organization_id__in=duty.organization_led(user).values("pk"))


def relationship_to(user: User, alert: RiskAlert, at: Moment) -> str:
    """Return the name of the relationship by which the person opens this alert's page; empty for none."""
    if user.role not in DESK_ROLES:
        return ""
    if alert.patient_id is None:
        return "desk" if alert.organization_id in desk_organizations(user) else ""
    name = registry_access.relationship_of(user, alert.patient_id, at) or ""
    if name not in QUESTIONS:
        return name
    asked = second_reviews(user, at)
    return SECOND_REVIEW if asked is not None and asked.filter(pk=alert.pk).exists() else ""


def may_see(user: User, alert: RiskAlert, at: datetime) -> bool:
    """Whether the person sees at least the card of an alert."""
    own = RiskAlert.objects.filter(pk=alert.pk)
    return own.filter(pk__in=cards_for(user)).exists() or own.filter(pk__in=pages_for(user, at)).exists()


def words_of_open_alerts(at: datetime) -> Q:
    """Return the condition on voice sessions of people with an open alert (`retention.register_hold`).

    Somebody works with them now, and may have to read what they said (domain 7.3).
    """
    person = Patient.objects.filter(pk=OuterRef(OuterRef("patient_id"))).values("person_id")
    # Sub-queries, not joins: a purge locks the voice session alone.
    alerts = RiskAlert.objects.open().filter(patient__person_id=Subquery(person, output_field=UUIDField()))
    return Q(Exists(alerts))


def register() -> None:
    """Add the crisis parts to the one predicate, whom work lets people reach, and whose words a purge leaves.

    Called once, at start.
    """
    registry_access.register("claim", claims, rank=30)
    registry_access.register("follow_up", follow_ups, rank=35)
    registry_access.register("supervision", supervision, rank=40)
    registry_access.register(SECOND_REVIEW, second_reviews, rank=70)
    registry_access.register(STEP_DOWN, step_downs, rank=71)
    registry_access.register(WELFARE_CHECK, welfare_checks, rank=72)
    reach.register("shift", lambda: _reached("crisis_reach_by_shift"))
    reach.register("claim", lambda: _reached("crisis_reach_by_claim"))
    reach.register("task", lambda: _reached("crisis_reach_by_task"))
    register_hold("open_alert", words_of_open_alerts)


def _reached(function: str) -> Func:
    """Ask one of the database's own functions: nobody has named an organization yet, so rows show nothing."""
    return Func(F("pk"), function=function, output_field=ArrayField(UUIDField()))
