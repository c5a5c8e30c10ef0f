"""Organizations, people and their roles, and what they pay; it also gathers the models of the features."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now

from cortex.accounts import reach
from cortex.accounts.apikeys.models import ApiClient, ApiKey
from cortex.accounts.choices import BACK_OFFICE_ROLES, BillingCycle, Role, SubscriptionStatus
from cortex.accounts.invitations.models import Invitation
from cortex.accounts.mail.models import PendingMail
from cortex.accounts.policies import is_id
from cortex.accounts.sessions.models import SessionState
from cortex.accounts.signin.models import LoginAttempt
from cortex.clock import steady_now
from cortex.crypto.fields import SealedCharField
from cortex.ids import uuid7
from cortex.ops.postgres.questions import kept
from cortex.records import OrgRecord, Record

__all__ = [
    "ApiClient", "ApiKey", "Invitation", "LoginAttempt", "Organization", "PendingMail", "Role",
    "SessionState", "StaffProfile", "Subscription", "UsageRecord", "User",
]  # fmt: skip


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Words for organizations."""

    def serving(self) -> OrganizationQuerySet:
        """Active ones that answer for people: the watchdog's canary answers for nobody."""
        return self.filter(is_active=True).exclude(settings__contains={"canary": True})


class Organization(Record):
    """A tenant: a service that answers for its own people, staff and rules."""

    name = models.CharField(max_length=160)
    domain = models.CharField(
        max_length=253, blank=True, help_text="Mail domain of its staff, if it has one."
    )
    slug = models.SlugField(max_length=80, unique=True)
    jurisdiction = models.CharField(
        max_length=8, default="KE", help_text="ISO 3166 code of the law that holds."
    )
    default_timezone = models.CharField(max_length=64, default="Africa/Nairobi")
    default_language = models.CharField(max_length=16, default="en")
    emergency_number = models.CharField(max_length=24, default="999", help_text="Shown to people in danger.")
    settings = models.JSONField(default=dict, blank=True, help_text="Policies by name, of the declared list.")
    is_active = models.BooleanField(default=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def lead_ids(self) -> list[str]:
        """Ids of the users who lead this organization, as text."""
        named = self.settings.get("leads") if isinstance(self.settings, dict) else None
        return [lead for lead in named if is_id(lead)] if isinstance(named, list) else []


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail whatever its case, and makes them with a hashed password."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the e-mail as it is kept: trimmed and in lower case."""
        return (email or "").strip().lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person; without a password they can't sign in until they set one."""
        if not email:
            raise ValueError("a person needs an e-mail address")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def reaching(self) -> models.QuerySet[User]:
        """Return people with their organization and with those whom they cover now, in the one query."""
        return self.select_related("organization").annotate(**reach.columns())

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the person with this e-mail, whatever its case."""
        return self.annotate(lower_email=Lower("email")).get(lower_email=self.normalize_email(username))


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff; patients never sign in here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=160, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="users")
    is_active = models.BooleanField(default=True)
    is_verified = models.BooleanField(default=False, help_text="The e-mail address was shown to be theirs.")
    is_operator = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Runs the whole house: given and taken by `manage.py operator` alone.",
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    failed_login_count = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    pin_hash = models.CharField(max_length=160, blank=True)
    role_changed_at = models.DateTimeField(null=True, blank=True)
    access_version = models.PositiveIntegerField(
        default=1, help_text="Rises when rights change, so that open sockets are closed."
    )
    legacy_ids = models.JSONField(default=dict, blank=True)
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["full_name", "email"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_whatever_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=models.Q(is_superuser=False), name="user_never_superuser"),
            models.CheckConstraint(
                condition=models.Q(is_operator=False) | models.Q(role=Role.ADMIN),
                name="user_operator_is_admin",
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=True, disabled_at=None)
                | models.Q(is_active=False, disabled_at__isnull=False),
                name="user_disabled_has_time",
            ),
        ]
        indexes = [models.Index(fields=["organization", "role"], name="user_org_role")]

    def __str__(self) -> str:
        return self.full_name or "unnamed"

    @property
    def is_staff(self) -> bool:
        """Whether the back office opens for this role; what it may change is decided per model."""
        return self.role in BACK_OFFICE_ROLES

    def covers(self) -> tuple[UUID, ...]:
        """Return the organizations besides the own one for which they work now; loaded by `reaching()`."""
        loaded = self.__dict__ if reach.PARTS.keys() <= self.__dict__.keys() else self._ask_reach()
        ids = {one for name in reach.PARTS for one in loaded[name] or ()}
        return tuple(sorted(ids - {self.organization_id}))

    def _ask_reach(self) -> dict[str, Any]:
        return next(iter(_reach_of(self.pk)), dict.fromkeys(reach.PARTS))

    @property
    def has_pin(self) -> bool:
        """Whether a board PIN is set, so that an idle board is covered and not signed out."""
        return bool(self.pin_hash)

    @property
    def theme(self) -> str:
        """`light`, `dark`, or empty to follow the device."""
        theme = self.preferences.get("theme", "")
        return theme if theme in ("light", "dark") else ""

    @property
    def is_locked(self) -> bool:
        """Whether new devices are refused at this moment."""
        return self.is_locked_at(steady_now())

    def is_locked_at(self, at: datetime) -> bool:
        """Whether new devices are refused at `at`; a device that signed in before is not."""
        return self.locked_until is not None and self.locked_until > at

    def get_full_name(self) -> str:
        """Return the name as others see it."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.full_name.split(" ")[0] if self.full_name else ""


@kept
def _reach_of(user_id: UUID) -> models.QuerySet[User, Any]:
    return User.objects.reaching().filter(pk=user_id).values(*reach.PARTS)


class StaffProfile(OrgRecord):
    """What makes a clinician one: title, specialty, licence and who checked it when."""

    sealed_subject = "organization_id"

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="staff_profile")
    title = models.CharField(max_length=80, blank=True)
    specialty = models.CharField(max_length=120, blank=True)
    license_number = SealedCharField(max_length=80, null=True, blank=True)
    phone = SealedCharField(max_length=32, null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    is_trainee = models.BooleanField(
        "in training", default=False, db_default=False, help_text="A supervisor signs their notes too."
    )

    def __str__(self) -> str:
        return f"profile of {self.user_id}"


class Subscription(Record):
    """Who pays what for the software; the plan never changes what anybody may see."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    subject = models.UUIDField(null=True, blank=True, help_text="The payer of an app account, by bare id.")
    plan_type = models.CharField(max_length=40)
    status = models.CharField(
        max_length=16, choices=SubscriptionStatus.choices, default=SubscriptionStatus.ACTIVE
    )
    billing_cycle = models.CharField(
        max_length=16, choices=BillingCycle.choices, default=BillingCycle.MONTHLY
    )
    amount_cents = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    auto_renew = models.BooleanField(default=True)
    limits = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) | models.Q(subject__isnull=False),
                name="subscription_has_payer",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("started_at")),
                name="subscription_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_type} ({self.status})"


class UsageRecord(Record):
    """How much of a resource a person used in a billing period."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    resource_type = models.CharField(max_length=60)
    quantity = models.DecimalField(max_digits=18, decimal_places=4)
    billing_period_start = models.DateTimeField()
    billing_period_end = models.DateTimeField()
    extra_data = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="usage_not_negative"),
            models.CheckConstraint(
                condition=models.Q(billing_period_end__gte=models.F("billing_period_start")),
                name="usage_period_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["user", "-billing_period_start"], name="usage_user_period")]

    def __str__(self) -> str:
        return f"{self.resource_type}: {self.quantity}"
