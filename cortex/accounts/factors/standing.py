"""Who may take whose second factors; a pure rule over rows that were read elsewhere."""

from __future__ import annotations

from cortex.accounts.appointments import refuse_appointment
from cortex.accounts.models import User
from cortex.audit import Actor, NotFound, RuleBroken


def refuse_reset(actor: Actor, user: User | None) -> User:
    """Return the person whose factors the actor may take, or raise.

    NotFound for nobody of the actor's own organization, RuleBroken for oneself, InputRefused for a role that
    the actor can't appoint to. The system may take everybody's.
    """
    if user is None or not (actor.is_system or user.organization_id in actor.org_ids):
        raise NotFound("There is no such person in your organization.", "no_such_person")
    if user.pk == actor.id:
        raise RuleBroken("Ask a colleague to reset your own factors.", "own_rights")
    refuse_appointment(actor, user.organization_id, user.role)
    return user
