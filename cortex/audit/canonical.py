"""The digest of a trail row in its canonical form, and how rows are read for it; needs no Django."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

# Version 2 binds the sealed details too. A link keeps the digest that it was made with, and digests of
# different versions never agree, so a row holds when any version gives its link's digest.
VERSION = 2
VERSIONS = (2, 1)
GENESIS = bytes(32)

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
    "audit": (*SHARED, "event_type", "outcome", "fields", "codes", "details"),
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
SINCE_VERSION_2 = frozenset({"details"})
TABLES = {"audit": "audit_auditlog", "access": "audit_phiaccesslog"}
JSON = frozenset({"legacy_ids", "codes"})


def digest(trail: str, row: dict[str, Any], version: int = VERSION) -> bytes:
    """Return the SHA-256 of a row given as a mapping of the columns of its trail."""
    columns = [one for one in COLUMNS[trail] if version > 1 or one not in SINCE_VERSION_2]
    values = [version, trail, *(_plain(column, row[column]) for column in columns)]
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


def rows(cursor: Any, links: Iterable[tuple[str, UUID]]) -> Iterator[tuple[UUID, str, dict[str, Any]]]:
    """Read the rows of (trail, row id) pairs: yield id, trail and columns; sealed ones stay ciphertext."""
    wanted = list(links)
    for trail, table in TABLES.items():
        ids = [row_id for name, row_id in wanted if name == trail]
        if ids:
            columns = COLUMNS[trail]
            names = ", ".join(columns)
            cursor.execute(f"SELECT {names} FROM {table} WHERE id = ANY(%s)", [ids])  # noqa: S608 (own names)
            for values in cursor.fetchall():
                yield values[0], trail, dict(zip(columns, values, strict=True))


def microseconds(at: datetime) -> int:
    """Return whole microseconds since the epoch."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _plain(column: str, value: Any) -> Any:
    if column in JSON and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, list | tuple):
        return [_plain(column, item) for item in value]
    if value is None or isinstance(value, bool | int | str | dict):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)
