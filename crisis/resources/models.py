"""Where people find help near them: numbers and addresses that somebody rang and verified."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cortex.records import Record

VERIFIED_FOR = timedelta(days=90)


class ResourceKind(models.TextChoices):
    """What a resource is for."""

    SUICIDE_LINE = "suicide_line", "Suicide prevention line"
    CRISIS_LINE = "crisis_line", "Crisis line"
    CHILD_LINE = "child_line", "Child helpline"
    GBV_LINE = "gbv_line", "Gender-based violence helpline"
    POISON_CENTRE = "poison_centre", "Poison information centre"
    HOSPITAL = "hospital", "Hospital with emergency care"
    EMERGENCY = "emergency", "Emergency services"
    PEER_SUPPORT = "peer_support", "Peer support"


class CrisisResourceQuerySet(models.QuerySet["CrisisResource"]):
    """Words for resources."""

    def active(self) -> CrisisResourceQuerySet:
        """Resources that were not taken out."""
        return self.filter(is_active=True)

    def serving(self, jurisdiction: str, organization_id: object) -> CrisisResourceQuerySet:
        """Resources of a jurisdiction: the common ones and the organization's own."""
        return self.filter(
            Q(organization__isnull=True) | Q(organization_id=organization_id), jurisdiction=jurisdiction
        )

    def verified(self, at: datetime) -> CrisisResourceQuerySet:
        """Resources that somebody verified within the last 90 days."""
        return self.filter(verified_at__gt=at - VERIFIED_FOR)

    def due_for_check(self, at: datetime, within: timedelta = timedelta(days=60)) -> CrisisResourceQuerySet:
        """Active resources whose last verification is older than `within`, or that never had one."""
        return self.active().filter(Q(verified_at__isnull=True) | Q(verified_at__lte=at - within))


class CrisisResource(Record):
    """One line, service or place; without an organization it is common to its jurisdiction."""

    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Empty: shown to everybody in the jurisdiction.",
    )  # fmt: skip
    jurisdiction = models.CharField(max_length=8, help_text="ISO 3166 code, for instance KE.")
    region = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=24, choices=ResourceKind)
    phone = models.CharField(max_length=32, blank=True)
    sms = models.CharField(max_length=32, blank=True)
    url = models.URLField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    hours = models.CharField(max_length=80, default="24/7")
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    priority = models.PositiveSmallIntegerField(default=100, help_text="Smaller comes first.")
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)

    objects = CrisisResourceQuerySet.as_manager()

    class Meta:
        verbose_name = "crisis resource"
        ordering = ["jurisdiction", "priority", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ResourceKind.values), name="resource_kind_known"),
            models.CheckConstraint(
                condition=~(Q(phone="") & Q(sms="") & Q(url="") & Q(address="")), name="resource_is_reachable"
            ),
            models.UniqueConstraint(
                fields=["jurisdiction", "name", "organization"],
                nulls_distinct=False,
                name="resource_named_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.jurisdiction})"

    def is_verified_at(self, at: datetime) -> bool:
        """Whether somebody verified it within the 90 days before `at`."""
        return self.verified_at is not None and self.verified_at > at - VERIFIED_FOR
