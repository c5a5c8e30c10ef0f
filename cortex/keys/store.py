"""Writes of the key store in transactions of its own, which commit before the rows that they seal."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from cortex.crypto.errors import KeyDestroyed, KeyMissing, UnknownMasterKey, UnwrapError
from cortex.crypto.keys import MATERIAL_BYTES, DataKey
from cortex.crypto.provider import get_provider
from cortex.ids import uuid7
from cortex.keys.cache import cache
from cortex.keys.models import Purpose, SubjectKey
from cortex.keys.queries import data_keys, wrap_context
from cortex.keys.router import ALIAS

YOUNGEST_ORPHAN = timedelta(hours=1)
"""No transaction of ours runs this long, so an older unconfirmed key can't belong to a row on its way."""
WANTED_AGAIN = YOUNGEST_ORPHAN / 2
"""An unconfirmed key that is asked for again after this long is noted, well before it could be swept."""


class Rewrapped(NamedTuple):
    """How many keys were wrapped anew, how many wait, and which don't open: by row, named for a person."""

    done: int
    left: int
    unopened: dict[UUID, str]


def ensure_keys(subject_ids: Iterable[UUID], *, purpose: str = Purpose.PATIENT) -> dict[UUID, list[DataKey]]:
    """Return the keys of these subjects, after making the missing ones in a transaction that commits first.

    Racing callers end with one and the same key. If the caller's own transaction fails later, the orphan is
    swept. A destroyed key is never replaced: its tombstone comes back. Raise KeyProviderError.
    """
    wanted = set(subject_ids)
    found = data_keys(wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        fresh = [_fresh_row(subject, 1, purpose) for subject in missing]
        with transaction.atomic(using=ALIAS, durable=True):
            SubjectKey.objects.bulk_create(fresh, ignore_conflicts=True)
        # Read again: another writer's key may have won, and only what is committed may seal.
        found |= data_keys(missing)
    _mark_wanted(found)
    return found


def copy_keys(subject_ids: Iterable[UUID], *, purpose: str = Purpose.PATIENT) -> dict[UUID, DataKey]:
    """Make the first keys of many new subjects by COPY, in a transaction that commits first.

    None of them may have a key yet (the unique constraint refuses the whole lot). They don't enter the cache:
    a bulk load seals with each once. Raise KeyProviderError.
    """
    columns = ("id", "subject", "version", "wrapped", "master_key_id", "purpose")
    provider, keys = get_provider(), {}
    statement = f"COPY keys_subjectkey ({', '.join(columns)}) FROM STDIN"
    with (
        transaction.atomic(using=ALIAS, durable=True),
        connections[ALIAS].cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for subject in subject_ids:
            material = os.urandom(MATERIAL_BYTES)
            master_key_id, wrapped = provider.wrap(material, wrap_context(subject, 1))
            copy.write_row((uuid7(), subject, 1, wrapped, master_key_id, str(purpose)))
            keys[subject] = DataKey(subject, 1, material)
    return keys


def add_version(subject: UUID, *, alone: bool = False) -> int:
    """Add the next version of a subject's key and return its number; it seals once every cache has met it.

    `alone` adds none beside another live one, and returns 0.
    """
    with transaction.atomic(using=ALIAS, durable=True):
        rows = list(SubjectKey.objects.select_for_update().filter(subject=subject).order_by("version"))
        if not rows:
            raise KeyMissing(f"there is no key for subject {subject}")
        newest = rows[-1]
        if newest.destroyed_at is not None:
            raise KeyDestroyed(f"the key of subject {subject} was destroyed")
        if alone and sum(row.destroyed_at is None for row in rows) > 1:
            return 0
        fresh = _fresh_row(subject, newest.version + 1, newest.purpose)
        fresh.confirmed_at = newest.confirmed_at
        fresh.save(force_insert=True)
        SubjectKey.objects.filter(pk=newest.pk).update(rotated_at=Now())
    cache.forget([subject])
    return fresh.version


def erase_material(subject: UUID) -> int:
    """Empty every version of a subject's key for good, leaving tombstones; return how many were live."""
    with transaction.atomic(using=ALIAS, durable=True):
        rows = SubjectKey.objects.filter(subject=subject)
        # Whoever adds a version holds these: what follows is asked anew and meets what was added meanwhile.
        list(rows.select_for_update().order_by("version").values_list("pk"))
        live = rows.filter(destroyed_at=None)
        count = live.update(wrapped=None, master_key_id="", destroyed_at=Now())
    cache.forget([subject])
    return count


def erase_older(subject: UUID, version: int) -> int:
    """Empty every version older than `version` for good, leaving tombstones; return how many were live."""
    with transaction.atomic(using=ALIAS, durable=True):
        older = SubjectKey.objects.filter(subject=subject, version__lt=version, destroyed_at=None)
        count = older.update(wrapped=None, master_key_id="", destroyed_at=Now())
    cache.forget([subject])
    return count


def rewrap(limit: int = 1000, skip: Collection[UUID] = ()) -> Rewrapped:
    """Wrap up to `limit` keys of older master keys by the current one; those of `skip` are passed over.

    A key that doesn't open stays as it is and is named in the answer. Raise KeyProviderError when the
    provider itself fails.
    """
    provider = get_provider()
    current, _ = provider.wrap(os.urandom(MATERIAL_BYTES), b"probe")
    with transaction.atomic(using=ALIAS, durable=True):
        old = SubjectKey.objects.filter(destroyed_at=None).exclude(master_key_id=current)
        old = old.exclude(pk__in=skip)
        opened: list[SubjectKey] = []
        unopened: dict[UUID, str] = {}
        rows = list(old.select_for_update(skip_locked=True).order_by("pk")[:limit])
        for row in rows:
            context = wrap_context(row.subject, row.version)
            try:
                material = provider.unwrap(row.master_key_id, bytes(row.wrapped or b""), context)
            except (UnknownMasterKey, UnwrapError) as fault:
                unopened[row.pk] = f"version {row.version} of subject {row.subject}: {fault}"
                continue
            row.master_key_id, row.wrapped = provider.wrap(material, context)
            opened.append(row)
        SubjectKey.objects.bulk_update(opened, ["master_key_id", "wrapped"])
    return Rewrapped(len(opened), old.exclude(pk__in=unopened).count(), unopened)


def confirm(subjects: Collection[UUID]) -> int:
    """Note that these subjects exist; return how many keys were confirmed."""
    return SubjectKey.objects.filter(subject__in=subjects, confirmed_at=None).update(confirmed_at=Now())


def drop_orphans(subjects: Collection[UUID], before: datetime) -> int:
    """Delete the keys of subjects that don't exist, unless somebody asked for them since; return how many."""
    orphans = SubjectKey.objects.filter(
        subject__in=subjects, confirmed_at=None, destroyed_at=None, wanted_at__lt=before
    )
    count, _ = orphans.delete()
    cache.forget(subjects)
    return count


def _fresh_row(subject: UUID, version: int, purpose: str) -> SubjectKey:
    material = os.urandom(MATERIAL_BYTES)
    master_key_id, wrapped = get_provider().wrap(material, wrap_context(subject, version))
    return SubjectKey(
        subject=subject, version=version, purpose=purpose, master_key_id=master_key_id, wrapped=wrapped
    )


def _mark_wanted(found: dict[UUID, list[DataKey]]) -> None:
    """Keep the sweep away from unconfirmed keys that a writer is about to use again."""
    stale = datetime.now(UTC) - WANTED_AGAIN
    subjects = [
        subject
        for subject, keys in found.items()
        if any(key.unconfirmed_since and key.unconfirmed_since < stale for key in keys)
    ]
    if subjects:
        SubjectKey.objects.filter(subject__in=subjects, confirmed_at=None).update(wanted_at=Now())
        cache.forget(subjects)
