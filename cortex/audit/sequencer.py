"""Links and signs the rows of both trails, and anchors the head elsewhere; one runs at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from cortex.audit import anchors, canonical, signing
from cortex.audit.canonical import GENESIS, microseconds
from cortex.audit.models import AuditLink
from cortex.clock import clock

LOCK = 7_210_431
TAKE = """
    DELETE FROM audit_auditinbox WHERE id IN (SELECT id FROM audit_auditinbox ORDER BY id LIMIT %s)
    RETURNING id, trail, row_id
"""


def link_pending(limit: int = 2000) -> int:
    """Link up to `limit` committed rows, oldest first, and sign the head; return how many were linked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(TAKE, [limit])
        taken = sorted(cursor.fetchall())
        if not taken:
            return 0
        pairs = [(trail, row_id) for _, trail, row_id in taken]
        digests = {
            row_id: canonical.digest(trail, row) for row_id, trail, row in canonical.rows(cursor, pairs)
        }
        AuditLink.objects.bulk_create(_chain(taken, digests, clock()))
        return len(taken)


def _chain(taken: Sequence[tuple[int, str, Any]], digests: dict[Any, bytes], at: datetime) -> list[AuditLink]:
    head = AuditLink.objects.order_by("-number").first()
    number, previous = (head.number, bytes(head.hash)) if head else (0, GENESIS)
    # A clock that was set back must not look like a chain that was written again.
    at = max(at, head.linked_at) if head else at
    links = []
    for _, trail, row_id in taken:
        number += 1
        row_digest = digests[row_id]
        value = canonical.link_hash(number, trail, row_id.bytes, row_digest, previous, microseconds(at))
        links.append(
            AuditLink(
                number=number,
                trail=trail,
                row_id=row_id,
                row_digest=row_digest,
                previous_hash=previous,
                hash=value,
                linked_at=at,
            )
        )
        previous = value
    links[-1].signature, links[-1].key_id = signing.sign(previous)
    return links


def anchor_head(path: Path | None = None) -> bool:
    """Append the newest signed head to the anchor file; return whether it was new."""
    head = AuditLink.objects.filter(signature__isnull=False).order_by("-number").first()
    target = path or Path(settings.CORTEX_AUDIT_ANCHOR_FILE)
    before = anchors.last(target)
    if head is None or (before is not None and head.number <= before.number):
        return False
    signature = bytes(head.signature or b"")
    anchors.append(
        target,
        anchors.Anchor(head.number, bytes(head.hash), signature, head.key_id, head.linked_at.isoformat()),
    )
    return True
