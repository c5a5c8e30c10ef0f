"""Reads of the chain: a row's own link, and the verdict of the verifier over this process's connection."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.db import connection

from cortex.audit import verifier
from cortex.audit.models import AuditLink
from cortex.audit.publickeys import Keys

TURN = 7_210_432


def link_of(row_id: UUID) -> AuditLink | None:
    """Return the link of a row of either trail, or None while it waits for the sequencer."""
    return AuditLink.objects.filter(row_id=row_id).first()


def verdict(keys: Keys, anchors: Path | None) -> verifier.Verdict:
    """Walk the whole chain; reads alone."""
    with connection.cursor() as cursor:
        return verifier.verify(cursor, keys, anchors)


def takes_turn() -> bool:
    """Whether no other process walks the chain now; held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [TURN])
        return bool(cursor.fetchone()[0])
