"""The words that accounts may use: roles, scopes, outcomes; no table and no rule."""

from django.db import models


class Role(models.TextChoices):
    """What a member of staff does; the access declarations name these and nothing else."""

    COUNSELOR = "counselor", "Counselor"
    THERAPIST = "therapist", "Therapist"
    PSYCHIATRIST = "psychiatrist", "Psychiatrist"
    SUPERVISOR = "supervisor", "Supervisor"
    ADMIN = "admin", "Administrator"
    COMPLIANCE = "compliance", "Compliance officer"
    AUDITOR = "auditor", "Auditor"


# Supervisors plan duty there; what each role sees and changes is named per model.
BACK_OFFICE_ROLES = frozenset({Role.ADMIN, Role.COMPLIANCE, Role.AUDITOR, Role.SUPERVISOR})


# Whoever works at the desk may lead it and be on its shifts; whoever administers or audits may not.
DESK_ROLES = frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR})

# Domain 1.2: compliance and auditors read the trail; whoever administers stands in it and does not.
TRAIL_READERS = frozenset({Role.COMPLIANCE, Role.AUDITOR})


class Scope(models.TextChoices):
    """What an API key may do."""

    INTAKE = "intake:write", "Send items (intake, SOS)"
    PATIENTS = "patients:write", "Register patients"
    TOKENS = "tokens:mint", "Mint short-lived patient tokens"
    SUPPORT = "support:read", "Read a patient's support state"


class SubscriptionStatus(models.TextChoices):
    """Whether a subscription runs."""

    TRIAL = "trial", "Trial"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Past due"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"


class BillingCycle(models.TextChoices):
    """How often a subscription is billed."""

    MONTHLY = "monthly", "Monthly"
    YEARLY = "yearly", "Yearly"
    ONCE = "once", "Once"


class Attempt(models.TextChoices):
    """How an attempt to sign in (or to ask for a password reset) ended."""

    TRIED = "tried", "Being checked"
    ACCEPTED = "accepted", "Signed in"
    REFUSED = "refused", "Refused"
    BLOCKED = "blocked", "Blocked by a lock"
    UNLOCKED = "unlocked", "Unlocked by a supervisor"
    RESET = "reset", "Password reset asked for"


class Lock(models.TextChoices):
    """What one failure locked: the account for new devices, one known device, or a network."""

    NONE = "", "Nothing"
    ACCOUNT = "account", "Account"
    DEVICE = "device", "Device"
    NETWORK = "network", "Network"


class FactorReset(models.TextChoices):
    """Why somebody's second factors were taken from them."""

    LOST = "lost", "Phone or key lost"
    BROKEN = "broken", "Phone or key broken"
    REPLACED = "replaced", "New phone, the old one is gone"
    STOLEN = "stolen", "Stolen, or somebody else may use it"
