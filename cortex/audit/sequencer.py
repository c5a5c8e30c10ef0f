"""Links and signs the rows of both trails, and anchors the head elsewhere; one runs at a time."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from cortex.audit import canonical, signing
from cortex.audit.models import AuditLink
from cortex.clock import clock

GENESIS = bytes(32)
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
        AuditLink.objects.bulk_create(_chain(taken, clock()))
        return len(taken)


def _chain(taken: Sequence[tuple[int, str, Any]], at: datetime) -> list[AuditLink]:
    digests = _digests(taken)
    head = AuditLink.objects.order_by("-number").first()
    number, previous = (head.number, bytes(head.hash)) if head else (0, GENESIS)
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


def _digests(taken: Sequence[tuple[int, str, Any]]) -> dict[Any, bytes]:
    found: dict[Any, bytes] = {}
    for trail, model in canonical.MODELS.items():
        ids = [row_id for _, name, row_id in taken if name == trail]
        for row in model._default_manager.filter(pk__in=ids).values(*canonical.COLUMNS[trail]):
            found[row["id"]] = canonical.digest(trail, row)
    return found


def anchor_head(path: Path | None = None) -> bool:
    """Append the newest signed head to the anchor file; return whether it was new."""
    head = AuditLink.objects.filter(signature__isnull=False).order_by("-number").first()
    target = path or Path(settings.CORTEX_AUDIT_ANCHOR_FILE)
    if head is None or head.number <= last_anchor(target).get("number", 0):
        return False
    line = {
        "number": head.number,
        "hash": base64.b64encode(bytes(head.hash)).decode(),
        "signature": base64.b64encode(bytes(head.signature or b"")).decode(),
        "key_id": head.key_id,
        "at": head.linked_at.isoformat(),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a") as out:
        # A line that a crash tore must not swallow this one.
        out.write(("" if _ends_whole(target) else "\n") + json.dumps(line) + "\n")
        out.flush()
        os.fsync(out.fileno())
    return True


def last_anchor(path: Path) -> dict[str, Any]:
    """Return the newest whole anchor of the file, or an empty mapping; a crash may tear the last line."""
    if not path.exists():
        return {}
    for line in reversed(path.read_bytes().splitlines()):
        with suppress(ValueError):
            return dict(json.loads(line))
    return {}


def _ends_whole(path: Path) -> bool:
    text = path.read_bytes()
    return not text or text.endswith(b"\n")


def microseconds(at: datetime) -> int:
    """Return whole microseconds since the epoch."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond
