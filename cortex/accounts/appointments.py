"""Who may give which role to whom, and who may change what holds for the whole house; pure rules."""

from __future__ import annotations

from uuid import UUID

from cortex.accounts.choices import Role
from cortex.audit.actors import Actor
from cortex.audit.rules import InputRefused, NotFound, RuleBroken

# Supervisors staff their desk; whoever administers or audits is appointed by an administrator.
MAY_APPOINT: dict[str, frozenset[Role]] = {
    Role.ADMIN: frozenset(Role),
    Role.SUPERVISOR: frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST}),
}


def refuse_appointment(actor: Actor, organization_id: UUID, role: str, *, is_operator: bool = False) -> None:
    """Raise RuleBroken unless the actor may give this role in this organization; the system may.

    An operator is made by the system alone.
    """
    if actor.is_system:
        return
    if is_operator:
        raise NotFound("Ask whoever runs the servers: `manage.py operator`.", "not_here")
    if organization_id not in actor.org_ids:
        raise NotFound("There is no such organization.", "no_such_organization")
    if role not in MAY_APPOINT.get(actor.role, frozenset()):
        raise InputRefused(
            "Your role can't give this role. Ask an administrator.", "role_not_yours", field="role"
        )


def is_operator(actor: Actor) -> bool:
    """Whether the actor runs the whole house: the system itself, or a person who was made an operator."""
    return actor.is_system or (actor.user is not None and actor.user.is_operator)


def refuse_unless_operator(actor: Actor) -> None:
    """Raise RuleBroken (403) unless the actor runs the whole house."""
    if not is_operator(actor):
        raise RuleBroken(
            "This holds for every organization: only an operator changes it.", "not_operator", status=403
        )
