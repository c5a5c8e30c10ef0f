"""Reads of second factors: a person's list, who has any, how many recovery codes are left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator

MAIN = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
APP_NAME = "Authenticator app"


@dataclass(frozen=True, slots=True)
class Factor:
    """One line of the list of one's own factors; recovery codes are none by themselves."""

    id: int
    kind: str
    name: str
    added_at: datetime
    last_used_at: datetime | None


def factors_of(user_id: UUID) -> list[Factor]:
    """Return a person's apps and keys, oldest first."""
    rows = Authenticator.objects.filter(user_id=user_id, type__in=MAIN).order_by("created_at", "pk")
    return [
        Factor(row.pk, row.type, row.data.get("name") or APP_NAME, row.created_at, row.last_used_at)
        for row in rows
    ]


def has_factor(user_id: UUID) -> bool:
    """Whether a person has an app or a key."""
    return Authenticator.objects.filter(user_id=user_id, type__in=MAIN).exists()


def has_key(user_id: UUID) -> bool:
    """Whether a person has a security key."""
    return Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN).exists()


def codes_left(user_id: UUID) -> int:
    """Return how many recovery codes a person has not used; counted without opening the seed."""
    row = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is None:
        return 0
    return int(app_settings.RECOVERY_CODE_COUNT) - int(row.data["used_mask"]).bit_count()


def with_factor(user_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these people who have an app or a key."""
    rows = Authenticator.objects.filter(user_id__in=list(user_ids), type__in=MAIN)
    return set(rows.values_list("user_id", flat=True))
