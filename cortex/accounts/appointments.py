"""Who may give which role to whom; pure rules."""

from __future__ import annotations

from uuid import UUID

from cortex.accounts.choices import Role
from cortex.audit.actors import Actor
from cortex.audit.rules import InputRefused, NotFound

# Supervisors staff their desk; whoever administers or audits is appointed by an administrator.
MAY_APPOINT: dict[str, frozenset[Role]] = {
    Role.ADMIN: frozenset(Role),
    Role.SUPERVISOR: frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST}),
}


def refuse_appointment(actor: Actor, organization_id: UUID, role: str) -> None:
    """Raise RuleBroken unless the actor may give this role in this organization; the system may."""
    if actor.is_system:
        return
    if organization_id not in actor.org_ids:
        raise NotFound("There is no such organization.", "no_such_organization")
    if role not in MAY_APPOINT.get(actor.role, frozenset()):
        raise InputRefused(
            "Your role can't give this role. Ask an administrator.", "role_not_yours", field="role"
        )
