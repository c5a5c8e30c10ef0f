"""Who sees which alert: cards by duty, pages by claim, supervision, second reading or the care team."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, Q, QuerySet, UUIDField

from cortex.accounts import reach
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role, User
from cortex.clock import Moment, before
from crisis.alerts.models import RiskAlert, RiskAlertQuerySet
from crisis.alerts.states import OPEN
from crisis.duty import queries as duty
from crisis.duty.queries import READERS, desk_organizations
from crisis.reviews import queries as reviews
from patients.registry import access as registry_access
from patients.registry.queries import patients

# Domain 1.2: what a claim opened stays open this long after the alert has ended.
AFTER_END = timedelta(hours=24)
SECOND_REVIEW = "second_review"


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
    people = patients().visible_to(user, at, besides=frozenset({SECOND_REVIEW})).values("pk")
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


def second_reviews(user: User, at: Moment) -> RiskAlertQuerySet | None:
    """Return the reader's part: alerts of their desk on which somebody else waits for a second reading."""
    if user.role not in READERS:
        return None
    desk = Q(organization_id__in=duty.organizations_covered(user.pk).values("pk"))
    if user.role == Role.SUPERVISOR:
        desk |= Q(organization_id=user.organization_id)
    else:
        desk |= Q(organization_id__in=duty.organization_led(user).values("pk"))
    asked = reviews.pending_for(user).values("alert")
    return RiskAlert.objects.filter(desk, pk__in=asked, patient__isnull=False)


def relationship_to(user: User, alert: RiskAlert, at: Moment) -> str:
    """Return the name of the relationship by which the person opens this alert's page; empty for none."""
    if user.role not in DESK_ROLES:
        return ""
    if alert.patient_id is None:
        return "desk" if alert.organization_id in desk_organizations(user) else ""
    name = registry_access.relationship_of(user, alert.patient_id, at) or ""
    if name != SECOND_REVIEW:
        return name
    asked = second_reviews(user, at)
    return name if asked is not None and asked.filter(pk=alert.pk).exists() else ""


def may_see(user: User, alert: RiskAlert, at: datetime) -> bool:
    """Whether the person sees at least the card of an alert."""
    own = RiskAlert.objects.filter(pk=alert.pk)
    return own.filter(pk__in=cards_for(user)).exists() or own.filter(pk__in=pages_for(user, at)).exists()


def people_with_open_alerts(at: datetime) -> QuerySet[Any]:
    """Return the people whose words the purge leaves alone: somebody is working with them."""
    return RiskAlert.objects.open().filter(patient__isnull=False).values_list("patient_id", flat=True)


def register() -> None:
    """Add the crisis parts to the one predicate, and whom work lets people reach; called once, at start."""
    registry_access.register("claim", claims, rank=30)
    registry_access.register("supervision", supervision, rank=40)
    registry_access.register(SECOND_REVIEW, second_reviews, rank=70)
    reach.register("shift", lambda: _reached("crisis_reach_by_shift"))
    reach.register("claim", lambda: _reached("crisis_reach_by_claim"))
    reach.register("task", lambda: _reached("crisis_reach_by_task"))


def _reached(function: str) -> Func:
    """Ask one of the database's own functions: nobody has named an organization yet, so rows show nothing."""
    return Func(F("pk"), function=function, output_field=ArrayField(UUIDField()))
