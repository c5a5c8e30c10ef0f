"""Reads of second factors: a person's list, who has any, how many recovery codes are left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator

from cortex.accounts.factors.adapter import BOUND, SUBJECT, blob_of
from cortex.crypto.errors import DecryptError
from cortex.crypto.keys import version_of
from cortex.keys.registry import Sealed

MAIN = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
APP_NAME = "Authenticator app"
# The parts of `data` that are sealed: an app's secret, the seed of recovery codes.
SEALED = ("secret", "seed")


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


def sealed_before(version: int) -> list[tuple[int, UUID]]:
    """Return (row, person) of the factors with a secret under an older version than this, oldest first."""
    rows = Authenticator.objects.order_by("pk").values_list("pk", "user_id", "data")
    return [
        (pk, user)
        for pk, user, data in rows.iterator()
        if any(0 < _version(data[part]) < version for part in SEALED if part in data)
    ]


def _version(text: str) -> int:
    """Return the version that sealed a secret; 0, which no key has, when it isn't sealed."""
    try:
        return version_of(blob_of(text))
    except DecryptError:
        return 0


def sealed_secrets(sample: int = 0) -> Iterator[Sealed]:
    """Yield one secret for each part of the rows and version of its key; `sample`: of the newest rows alone.

    What isn't sealed at all comes under version 0, which no key has.
    """
    rows = Authenticator.objects.order_by("-pk").values_list("pk", "data")
    seen = set()
    for pk, data in rows[:sample] if sample else rows:
        for part in SEALED:
            if part not in data:
                continue
            try:
                blob = blob_of(data[part])
                version = version_of(blob)
            except DecryptError:
                blob, version = b"", 0
            if (part, version) not in seen:
                seen.add((part, version))
                label = f"{Authenticator._meta.label}.data.{part}"
                yield Sealed(label, str(pk), SUBJECT, version, blob, BOUND)
