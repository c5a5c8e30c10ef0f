"""The short-lived token of a patient's own device: signed, never stored, dead with the key that minted it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

SALT = "cortex.api.patient-token"
DEFAULT_LIFE = timedelta(minutes=15)
LONGEST_LIFE = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: the patient, their organization, the key that minted it and its end."""

    patient_id: UUID
    organization_id: UUID
    key_id: UUID
    expires_at: datetime


class TokenRefused(Exception):
    """The token isn't ours, is damaged, or its time is over."""


def mint(
    patient_id: UUID, organization_id: UUID, key_id: UUID, at: datetime, life: timedelta = DEFAULT_LIFE
) -> str:
    """Return a signed token that works until `at` plus `life` (60 minutes at most)."""
    ends = at + min(life, LONGEST_LIFE)
    claims = {"p": str(patient_id), "o": str(organization_id), "k": str(key_id), "x": int(ends.timestamp())}
    return signing.dumps(claims, salt=SALT, compress=False)


def read(token: str, at: datetime) -> Claims:
    """Return what a token says, or raise TokenRefused."""
    try:
        claims = signing.loads(token, salt=SALT)
        ends = datetime.fromtimestamp(claims["x"], tz=at.tzinfo)
        found = Claims(UUID(claims["p"]), UUID(claims["o"]), UUID(claims["k"]), ends)
    except (signing.BadSignature, ValueError, KeyError, TypeError, OverflowError):
        raise TokenRefused("The patient token can't be read.") from None
    if at >= found.expires_at:
        raise TokenRefused("The patient token has expired; ask for a new one.")
    return found
