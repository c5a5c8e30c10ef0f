"""The digest of a trail row: versioned columns in one canonical form, whatever columns come later."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cortex.audit.models import AuditLog, PhiAccessLog

VERSION = 1
SHARED = (
    "id",
    "occurred_at",
    "organization_id",
    "actor_kind",
    "actor_id",
    "actor_label",
    "actor_role",
    "purpose",
    "subject",
    "object_type",
    "object_id",
    "request_id",
    "ip_hash",
    "session_hash",
    "legacy_ids",
)
COLUMNS: dict[str, tuple[str, ...]] = {
    "audit": (*SHARED, "event_type", "outcome", "fields", "codes"),
    "access": (
        *SHARED,
        "relationship",
        "data_type",
        "subjects",
        "sections",
        "number_from",
        "number_to",
        "digest",
        "break_glass",
    ),
}
MODELS = {"audit": AuditLog, "access": PhiAccessLog}


def digest(trail: str, row: dict[str, Any]) -> bytes:
    """Return the SHA-256 of a row given as a mapping of the columns of its trail."""
    values = [VERSION, trail, *(_plain(row[column]) for column in COLUMNS[trail])]
    text = json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def link_hash(
    number: int, trail: str, row_id: bytes, row_digest: bytes, previous: bytes, at_us: int
) -> bytes:
    """Return the hash of one link over everything it binds; `at_us` is microseconds since the epoch."""
    parts = (
        previous,
        number.to_bytes(8, "big"),
        trail.encode(),
        row_id,
        row_digest,
        at_us.to_bytes(8, "big"),
    )
    return hashlib.sha256(b"|".join(parts)).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
