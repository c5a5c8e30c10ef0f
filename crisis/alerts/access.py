"""Who sees which alert: cards by duty, pages by claim, supervision, second reading or the care team."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from cortex.accounts.models import Role, User
from crisis.alerts.models import RiskAlert, RiskAlertQuerySet
from crisis.alerts.states import OPEN
from crisis.duty import queries as duty
from crisis.duty.models import DESK
from crisis.reviews.models import SecondReview
from patients.registry import access as registry_access

# Domain 1.2: what a claim opened stays open this long after the alert has ended.
AFTER_END = timedelta(hours=24)
READERS = (Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR)


def desk_organizations(user: User) -> set[UUID]:
    """Return the organizations whose cards the person sees now: covered by shift, supervised, or led."""
    if user.role not in DESK:
        # A shift that still runs after a change of role opens nothing.
        return set()
    covered = duty.covered_by(user.pk)
    if user.organization_id and (user.role == Role.SUPERVISOR or duty.leads_of(user)):
        covered.add(user.organization_id)
    return covered


def cards_for(user: User) -> RiskAlertQuerySet:
    """Return the alerts whose coded card the person sees."""
    return RiskAlert.objects.filter(organization_id__in=desk_organizations(user))


def claimed_q(user: User, at: datetime, prefix: str = "") -> Q:
    """Return the condition "claimed by this person, and open or ended less than a day ago"."""
    fresh = Q(**{f"{prefix}status__in": OPEN}) | Q(**{f"{prefix}resolved_at__gt": at - AFTER_END})
    return Q(**{f"{prefix}assigned_to": user}) & fresh


def pages_for(user: User, at: datetime) -> RiskAlertQuerySet:
    """Return the alerts whose page, with the person behind it, this member of staff may open."""
    if user.role not in DESK:
        return RiskAlert.objects.none()
    scope = Q(patient__in=registry_access.visible_to(user, at).values("pk"))
    scope |= Q(patient__isnull=True, organization_id__in=desk_organizations(user))
    if user.role in READERS:
        asked = SecondReview.objects.filter(alert=OuterRef("pk"), decided_at__isnull=True).exclude(
            asked_by=user
        )
        scope |= Q(Exists(asked), organization_id__in=desk_organizations(user))
    return RiskAlert.objects.filter(scope)


def claims(user: User, at: datetime) -> RiskAlertQuerySet | None:
    """Return the crisis part of the one predicate: people with a claim that is open or ended within a day."""
    if user.role not in DESK:
        return None
    return RiskAlert.objects.filter(claimed_q(user, at), patient__isnull=False)


def supervision(user: User, at: datetime) -> RiskAlertQuerySet | None:
    """Return the supervisor's part: people of their organization with an open or freshly ended alert."""
    if user.role != Role.SUPERVISOR:
        return None
    fresh = Q(status__in=OPEN) | Q(resolved_at__gt=at - AFTER_END)
    return RiskAlert.objects.filter(fresh, organization_id=user.organization_id, patient__isnull=False)


def relationship_to(user: User, alert: RiskAlert, at: datetime) -> str:
    """Return the name of the relationship by which the person opens this alert's page; empty for none."""
    if not pages_for(user, at).filter(pk=alert.pk).exists():
        return ""
    if alert.patient_id is None:
        return "desk"
    return registry_access.relationship_of(user, alert.patient_id, at) or "second_review"


def may_see(user: User, alert: RiskAlert, at: datetime) -> bool:
    """Whether the person sees at least the card of an alert."""
    own = RiskAlert.objects.filter(pk=alert.pk)
    return own.filter(pk__in=cards_for(user)).exists() or own.filter(pk__in=pages_for(user, at)).exists()


def people_with_open_alerts(at: datetime) -> QuerySet[Any]:
    """Return the people whose words the purge leaves alone: somebody is working with them."""
    return RiskAlert.objects.open().filter(patient__isnull=False).values_list("patient_id", flat=True)


def register() -> None:
    """Add the crisis parts to the one predicate; called when the app is ready."""
    registry_access.register("claim", claims, rank=30)
    registry_access.register("supervision", supervision, rank=40)
