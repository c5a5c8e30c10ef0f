"""Reads of intake: kept answers behind their lock, and item ids that are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from crisis.intake.models import IntakeKey, IntakeRequest


def try_lock(sender: str, idempotency_key: str) -> bool:
    """Take the lock of one Idempotency-Key until the transaction ends; False when a request holds it now.

    A lock dies with its connection, so a killed process leaves no key in flight.
    """
    digest = hashlib.sha256(f"{sender}\x1f{idempotency_key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)]
        )
        return bool(cursor.fetchone()[0])


def kept_request(sender: str, idempotency_key: str, at: datetime) -> IntakeRequest | None:
    """Return the kept answer of this key, unless its 24 hours are over."""
    rows = IntakeRequest.objects.filter(sender=sender, idempotency_key=idempotency_key, expires_at__gt=at)
    return rows.first()


def known_keys(ids: Iterable[UUID], at: datetime) -> dict[UUID, IntakeKey]:
    """Return the keys that are known and have not expired, by their id, in one query."""
    found = IntakeKey.objects.in_bulk(list(ids))
    return {key: row for key, row in found.items() if row.expires_at is None or row.expires_at > at}
