"""Who must give a second factor: an organization's own rule, else the house's; pure but for the setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from cortex.accounts.models import User

SETTING = "mfa_required_roles"


def house_roles() -> list[str]:
    """Return the roles that need a second factor where an organization doesn't say it itself."""
    return list(settings.CORTEX_MFA_REQUIRED_ROLES)


def required_roles(policies: Any) -> list[str]:
    """Return the roles that need one by these settings of an organization; what is no list says nothing."""
    own = policies.get(SETTING) if isinstance(policies, dict) else None
    return own if isinstance(own, list) else house_roles()


def is_required(user: User) -> bool:
    """Whether this person must give a second factor."""
    return user.role in required_roles(user.organization.settings)
