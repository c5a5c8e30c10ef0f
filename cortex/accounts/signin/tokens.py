"""Tokens of mailed links, computed from the row that they are for; none is stored."""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from cortex.accounts.models import User


class ResetTokens(PasswordResetTokenGenerator):
    """A reset link works once and until the password, the e-mail or the rights change.

    The library's own generator writes a row while it checks, which a GET must not.
    """

    key_salt = "cortex.accounts.signin.ResetTokens"

    def _make_hash_value(self, user: User, timestamp: int) -> str:  # type: ignore[override]
        return f"{super()._make_hash_value(user, timestamp)}{user.access_version}{user.is_active}"
