"""The invitation link: a signature over the row's state, so that it works once and is kept nowhere."""

from __future__ import annotations

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from cortex.accounts.invitations.models import Invitation

_signer = Signer(salt="cortex.accounts.invitation", sep=":")


def token_of(invitation: Invitation) -> str:
    """Return the link's token; it changes when the invitation is renewed, accepted or revoked."""
    return _signer.signature(_state(invitation))


def is_token(invitation: Invitation, token: str) -> bool:
    """Whether a token belongs to the invitation as it stands (old signing keys count)."""
    try:
        _signer.unsign(f"{_state(invitation)}:{token}")
    except BadSignature:
        return False
    return True


def path_of(invitation: Invitation) -> str:
    """Return the path of the link."""
    return reverse("accounts:invitation_open", args=[invitation.pk, token_of(invitation)])


def _state(invitation: Invitation) -> str:
    ends = (invitation.expires_at, invitation.accepted_at, invitation.revoked_at)
    # Whole microseconds since the epoch: the database's time zone must not change the token.
    stamps = "|".join(str(int(time.timestamp() * 1e6)) if time else "" for time in ends)
    return f"{invitation.pk}|{invitation.email}|{invitation.role}|{stamps}"
