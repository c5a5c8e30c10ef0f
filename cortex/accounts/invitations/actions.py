"""Writes of invitations: made, renewed, revoked, accepted."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.accounts.actions import create_user
from cortex.accounts.appointments import MAY_APPOINT, refuse_appointment
from cortex.accounts.invitations.models import Invitation
from cortex.accounts.models import User
from cortex.accounts.queries import user_by_email
from cortex.audit import (
    Actor,
    InputRefused,
    NotFound,
    RuleBroken,
    Unchanged,
    action,
    quiet,
    record,
    system,
)
from cortex.clock import clock

GOOD_FOR = timedelta(days=7)


@action
def invite_person(
    *,
    actor: Actor,
    organization_id: UUID,
    email: str,
    full_name: str,
    role: str,
    is_operator: bool = False,
    at: datetime | None = None,
) -> Invitation:
    """Invite a person in a role; the link works once, for 7 days. An expired invitation is replaced."""
    refuse_appointment(actor, organization_id, role, is_operator=is_operator)
    at = clock(at)
    email = User.objects.normalize_email(email)
    if user_by_email(email) is not None:
        raise InputRefused("Somebody has this e-mail address already.", "email_taken", field="email")
    waiting = Invitation.objects.select_for_update().filter(
        email__iexact=email, accepted_at=None, revoked_at=None
    )
    for earlier in waiting:
        if earlier.is_open(at):
            raise InputRefused("This person is invited already. Renew it instead.", "invited", field="email")
        earlier.revoked_at = at
        earlier.save(update_fields=["revoked_at", "updated_at"])
    invitation = Invitation.objects.create(
        organization_id=organization_id,
        email=email,
        full_name=full_name.strip(),
        role=role,
        is_operator=is_operator,
        invited_by_id=actor.id if actor.kind == "user" else None,
        expires_at=at + GOOD_FOR,
    )
    record(actor, "invitation.created", invitation, codes={"role": role})
    return invitation


@action
def renew_invitation(*, actor: Actor, invitation_id: UUID, at: datetime | None = None) -> Invitation:
    """Give an invitation another 7 days and a new link; the old link is worth nothing from now on."""
    invitation = _theirs(actor, invitation_id)
    _refuse_over(invitation)
    invitation.expires_at = clock(at) + GOOD_FOR
    invitation.sent_at = None
    invitation.save(update_fields=["expires_at", "sent_at", "updated_at"])
    record(actor, "invitation.renewed", invitation, fields=["expires_at"])
    return invitation


@action
def revoke_invitation(*, actor: Actor, invitation_id: UUID, at: datetime | None = None) -> Invitation:
    """Withdraw an invitation that nobody has accepted."""
    invitation = _theirs(actor, invitation_id)
    if invitation.revoked_at is not None:
        return Unchanged(invitation)  # type: ignore[return-value]
    _refuse_over(invitation)
    invitation.revoked_at = clock(at)
    invitation.save(update_fields=["revoked_at", "updated_at"])
    record(actor, "invitation.revoked", invitation)
    return invitation


@action
def accept_invitation(
    *,
    actor: Actor,
    invitation_id: UUID,
    full_name: str,
    password: str,
    pin: str,
    at: datetime | None = None,
) -> User:
    """Turn an open invitation into a person; the door has checked the link and the password's rules."""
    at = clock(at)
    invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
    if invitation is None or not invitation.is_open(at) or not _may_still_invite(invitation):
        raise RuleBroken("This invitation was used or has expired. Ask for a new one.", "invitation_over")
    user = create_user(
        actor=system("invitation", invitation.organization_id),
        organization_id=invitation.organization_id,
        email=invitation.email,
        full_name=full_name,
        role=invitation.role,
        password=password,
        pin=pin,
        is_verified=True,
        is_operator=invitation.is_operator,
    )
    invitation.accepted_at = at
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_at", "accepted_by", "updated_at"])
    record(actor, "invitation.accepted", invitation, codes={"user": str(user.pk)})
    return user


def _may_still_invite(invitation: Invitation) -> bool:
    """Whether whoever invited could do it today: a right that ended gives nobody another one."""
    by = invitation.invited_by
    if by is None:
        return True
    is_there = by.is_active and by.organization_id == invitation.organization_id
    return is_there and invitation.role in MAY_APPOINT.get(by.role, frozenset())


@quiet("when a mail went out is delivery, not care; the invitation itself is recorded")
def note_sent(*, invitation_id: UUID, at: datetime | None = None) -> None:
    """Note that the invitation's mail was handed over."""
    Invitation.objects.filter(pk=invitation_id).update(sent_at=clock(at))


def _theirs(actor: Actor, invitation_id: UUID) -> Invitation:
    invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
    if invitation is None or not (actor.is_system or invitation.organization_id in actor.org_ids):
        raise NotFound("There is no such invitation.", "no_such_invitation")
    refuse_appointment(actor, invitation.organization_id, invitation.role)
    return invitation


def _refuse_over(invitation: Invitation) -> None:
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise RuleBroken("This invitation was used or withdrawn.", "invitation_over")
