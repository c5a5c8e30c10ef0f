"""One-time codes: sealed secrets that know their owner, and the step of the clock that a code belongs to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value

from cortex.crypto.errors import DecryptError

__all__ = ["new_secret", "new_seed", "open_secret", "sealed", "step_of"]


def new_secret() -> str:
    """Return a fresh secret for an authenticator app: 160 random bits in base 32."""
    return str(generate_totp_secret())


def new_seed() -> str:
    """Return a fresh seed of which recovery codes are made."""
    return str(RecoveryCodes.generate_seed())


def sealed(user_id: UUID, secret: str) -> str:
    """Return a secret sealed together with whose it is, so that it opens at no other person's row."""
    return str(get_adapter().encrypt(f"{user_id}:{secret}"))


def open_secret(user_id: UUID, text: str) -> str:
    """Return a sealed secret of this person; raise DecryptError when it is somebody else's or none."""
    owner, _, secret = str(get_adapter().decrypt(text)).partition(":")
    if owner != str(user_id):
        raise DecryptError("a factor's secret was sealed for another person")
    return secret


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the step of 30 seconds whose code this is, at most one from the present; None for no such."""
    now = int(at.timestamp()) // app_settings.TOTP_PERIOD
    for step in range(now - app_settings.TOTP_TOLERANCE, now + app_settings.TOTP_TOLERANCE + 1):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None
