"""Reads of the key store: wrapped keys in one query, and the unwrapped ones by way of the cache."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import QuerySet

from cortex.crypto.errors import DecryptError, KeyDestroyed, KeyMissing
from cortex.crypto.keys import MATERIAL_BYTES, DataKey
from cortex.crypto.provider import get_provider
from cortex.keys.cache import MAX_SECONDS, cache
from cortex.keys.models import SubjectKey
from cortex.ops.postgres.questions import kept

# A new version seals only after every process's cache has had the time to meet it (twice, for skewed clocks).
SETTLING = timedelta(seconds=2 * MAX_SECONDS)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One row of the key store; `blob` is None for a destroyed key."""

    subject_id: UUID
    version: int
    master_key_id: str
    blob: bytes | None = field(repr=False)
    created_at: datetime
    unconfirmed_since: datetime | None


def keys_for(subject_ids: Iterable[UUID]) -> dict[UUID, list[WrappedKey]]:
    """Return the wrapped keys of these subjects by version, in one query; subjects without one are absent."""
    found: dict[UUID, list[WrappedKey]] = {}
    for subject, version, master, blob, created, wanted, confirmed in _wrapped(list(subject_ids)):
        content = None if blob is None else bytes(blob)
        since = None if confirmed else wanted
        wrapped = WrappedKey(subject, version, master, content, created, since)
        found.setdefault(subject, []).append(wrapped)
    return found


@kept
def _wrapped(subject_ids: list[UUID]) -> QuerySet[SubjectKey, Any]:
    rows = SubjectKey.objects.filter(subject__in=subject_ids).order_by("subject", "version")
    return rows.values_list(
        "subject", "version", "master_key_id", "wrapped", "created_at", "wanted_at", "confirmed_at"
    )


def data_keys(subject_ids: Iterable[UUID]) -> dict[UUID, list[DataKey]]:
    """Return the unwrapped keys of these subjects; the cache answers first, one query does the rest.

    A destroyed key comes as its tombstone, a subject without any key is absent. Raise KeyProviderError.
    """
    wanted = set(subject_ids)
    found = cache.get_many(wanted)
    missing = wanted - found.keys()
    if missing:
        generation, read_at = cache.generation, cache.now()
        for subject, rows in keys_for(missing).items():
            found[subject] = [unwrapped(row) for row in rows]
            cache.put(subject, found[subject], generation=generation, read_at=read_at)
    return found


def unwrapped(row: WrappedKey) -> DataKey:
    """Return the data key of a row, or its tombstone; raise KeyProviderError."""
    material = b""
    if row.blob is not None:
        context = wrap_context(row.subject_id, row.version)
        material = get_provider().unwrap(row.master_key_id, row.blob, context)
    return DataKey(row.subject_id, row.version, material, row.created_at, row.unconfirmed_since)


def wrap_context(subject_id: UUID, version: int) -> bytes:
    """Return what a wrapped key is bound to, so that it opens for its own subject and version alone."""
    return b"cortex.subject-key\x00" + subject_id.bytes + version.to_bytes(2, "big")


def newest_wrapped(master_key_id: str) -> bytes | None:
    """Return the youngest wrapped key under a master key, or None: a provider learns what it wrapped by."""
    rows = SubjectKey.objects.live().filter(master_key_id=master_key_id)
    blob = rows.order_by("-pk").values_list("wrapped", flat=True).first()
    return None if blob is None else bytes(blob)


def prove_keys() -> None:
    """Unwrap the newest stored key past the cache, or what a fresh house has: a key that was never stored.

    Raise a database error or KeyProviderError.
    """
    newest = (
        SubjectKey.objects.live()
        .order_by("-pk")
        .values_list("subject", "version", "master_key_id", "wrapped")
    )
    row = newest.first()
    if row is None:
        context = wrap_context(UUID(int=0), 1)
        get_provider().unwrap(*get_provider().wrap(bytes(MATERIAL_BYTES), context), context)
        return
    subject, version, master, blob = row
    get_provider().unwrap(master, bytes(blob or b""), wrap_context(subject, version))


def pick(versions: Mapping[int, DataKey], subject: UUID, version: int | None = None) -> DataKey:
    """Return the key of a version, or without one the key that seals now.

    Raise KeyMissing when the subject has none, KeyDestroyed when it was destroyed, and DecryptError when the
    subject has keys but not this version: the stored value names a key that never was.
    """
    if not versions:
        raise KeyMissing(f"there is no key for subject {subject}: load_keys(…, create=True) makes one")
    key = _sealing_key(versions) if version is None else versions.get(version)
    if key is None:
        raise DecryptError(f"a sealed value names key version {version}, which subject {subject} never had")
    if key.is_destroyed:
        raise KeyDestroyed(f"the key of subject {subject} was destroyed")
    return key


def _sealing_key(versions: Mapping[int, DataKey]) -> DataKey:
    newest = versions[max(versions)]
    if len(versions) == 1 or newest.is_destroyed:
        return newest
    settled = datetime.now(UTC) - SETTLING
    live = [key for _, key in sorted(versions.items()) if not key.is_destroyed]
    return next((key for key in reversed(live) if not key.created_at or key.created_at <= settled), live[0])


def orphan_candidates(before: datetime, limit: int) -> list[UUID]:
    """Return subjects whose keys nobody has confirmed or asked for since `before`, oldest first."""
    rows = SubjectKey.objects.filter(confirmed_at=None, destroyed_at=None, wanted_at__lt=before)
    return list(rows.order_by("wanted_at").values_list("subject", flat=True)[:limit])


def existing_organizations(subjects: Collection[UUID]) -> set[UUID]:
    """Return those ids that are organizations."""
    # By name, because the organization's own app has sealed fields and so stands above the key store.
    organizations = apps.get_model("accounts", "Organization")
    return set(organizations._default_manager.filter(pk__in=subjects).values_list("pk", flat=True))


def sees_every_row() -> bool:
    """Tell whether the main connection's role bypasses row security: "not found" then means "not there"."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        row = cursor.fetchone()
    return bool(row and row[0])
