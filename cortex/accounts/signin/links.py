"""Paths of mailed links that prove a mailbox; pure but for the signing key."""

from __future__ import annotations

from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from cortex.accounts.models import User
from cortex.accounts.signin.tokens import ResetTokens


def reset_path(user: User) -> str:
    """Return the path of a password reset link; it works once, for an hour."""
    key = ResetTokens().make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
