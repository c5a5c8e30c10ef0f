"""Walks keys and sealed rows of both databases and names what doesn't fit; what it opens is thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Aggregate, Count, F, Func, IntegerField, Min

from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.crypto.errors import DecryptError, KeyProviderError
from cortex.crypto.keys import DataKey
from cortex.crypto.provider import get_provider
from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import resolve_subject, subject_spec
from cortex.keys import registry
from cortex.keys.models import SubjectKey
from cortex.keys.queries import keys_for, sees_every_row, unwrapped, wrap_context
from cortex.keys.registry import Sealed

T = TypeVar("T")
CHUNK = 1000
# A key commits before the row that it seals: one this young may belong to a row on its way.
ON_ITS_WAY = timedelta(hours=1)
DESTROYED = "key.destroyed"


class AnyRow(Aggregate):
    """PostgreSQL's any_value: one of a group, since UUIDs have no least one there."""

    function = "ANY_VALUE"


class ProofRefused(Exception):
    """Rows could be hidden from this role, so that a proof would prove nothing."""


@dataclass
class Proof:
    """What a walk found: counts, and by name whatever doesn't fit."""

    keys: int = 0
    tombstones: int = 0
    by_master: Counter[str] = field(default_factory=Counter)
    unopened: list[str] = field(default_factory=list)
    pairs: int = 0
    keyless: list[str] = field(default_factory=list)
    erased_rows: int = 0
    unreadable: list[str] = field(default_factory=list)
    revived: list[UUID] = field(default_factory=list)
    orphans: list[UUID] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every key opens, every sealed row has its key and opens, and nothing destroyed is back."""
        return not (self.unopened or self.keyless or self.unreadable or self.revived)


def prove(sample: int = 0) -> Proof:
    """Open every wrapped key under the present master keys, and by it one value of each column that it seals.

    `sample` looks at the newest so many rows of each table alone; 0 at all of them. Orphans are keys without
    a subject: they harm nobody and are swept at night. Raise ProofRefused when rows could be hidden, or a
    database error; what doesn't open is named in the answer.
    """
    if not sees_every_row():
        raise ProofRefused("Only a role that sees every row can prove it: set CORTEX_DB_ROLE=system.")
    found = Proof()
    _open_all(found)
    for values in _batches(sealed_values(sample)):
        _try(found, values)
    found.revived = destroyed_but_live()
    found.orphans = orphans()
    return found


def _open_all(found: Proof) -> None:
    provider = get_provider()
    rows = SubjectKey.objects.order_by("pk").values_list("subject", "version", "master_key_id", "wrapped")
    for subject, version, master, blob in rows.iterator(CHUNK):
        if blob is None:
            found.tombstones += 1
            continue
        found.keys += 1
        found.by_master[master] += 1
        try:
            provider.unwrap(master, bytes(blob), wrap_context(subject, version))
        except KeyProviderError as fault:
            found.unopened.append(f"version {version} of subject {subject}: {fault}")


def _try(found: Proof, values: list[Sealed]) -> None:
    """Look up the keys of some values, after the values: a key commits before what it seals."""
    found_keys = keys_for(one.subject for one in values)
    keys = {(row.subject_id, row.version): row for rows in found_keys.values() for row in rows}
    living = {subject for subject, rows in found_keys.items() if any(row.blob for row in rows)}
    for one in values:
        found.pairs += 1
        key = keys.get((one.subject, one.version))
        if key is None or (key.blob is None and one.subject in living):
            # An older backup of the rows: their version ended when they were sealed anew, the person lives.
            found.keyless.append(f"{one.label}: version {one.version} of subject {one.subject}")
        elif key.blob is None:
            found.erased_rows += 1
        else:
            # A key that doesn't open is named already.
            with suppress(KeyProviderError):
                _read(found, one, unwrapped(key))


def _read(found: Proof, one: Sealed, key: DataKey) -> None:
    try:
        key.unseal(one.blob, one.bound)
    except DecryptError:
        found.unreadable.append(
            f"{one.label} of row {one.row}: version {one.version} of subject {one.subject}"
        )


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    several = iter(items)
    while batch := list(islice(several, CHUNK)):
        yield batch


def sealed_values(sample: int = 0) -> Iterator[Sealed]:
    """Yield one value for each column of the main database and version of a key that seals in it."""
    yield from registry.sealed_elsewhere(sample)
    for model in sealed_models():
        for one in model._meta.concrete_fields:
            if isinstance(one, SealedMixin):
                yield from _of_field(model, one, sample)


def sealed_models() -> list[type[models.Model]]:
    """Return the models that have a sealed field."""
    return [
        model
        for model in apps.get_models()
        if not model._meta.proxy and any(isinstance(one, SealedMixin) for one in model._meta.concrete_fields)
    ]


def _of_field(model: type[models.Model], sealed: Any, sample: int) -> Iterator[Sealed]:
    label = f"{model._meta.label}.{sealed.name}"
    for batch in _batches(_pairs(model, sealed, sample)):
        stored = model._default_manager.filter(pk__in=[pk for _, _, pk in batch])
        values = dict(stored.values_list("pk", sealed.attname))
        for subject, version, pk in batch:
            value = values.get(pk)
            # What was deleted or sealed anew since is no finding.
            if value is not None and version == int.from_bytes(value.blob.ljust(4, b"\0")[2:4], "big"):
                bound = sealed.aad(pk, subject) if subject else b""
                yield Sealed(label, str(pk), subject, version, value.blob, bound)


def version_in(sealed: Any) -> Func:
    """Return the SQL of the key version that a sealed column's value names; NULL for none."""
    # Padded, or a value that was cut off would end the walk.
    padded = r"%(expressions)s || '\x00000000'::bytea"
    return Func(
        F(sealed.attname),
        template=f"(get_byte({padded}, 2) << 8 | get_byte({padded}, 3))",
        output_field=IntegerField(),
    )


def _pairs(model: type[models.Model], sealed: Any, sample: int) -> Iterator[tuple[UUID, int, Any]]:
    """Yield (subject, key version, a row's primary key), each pair once."""
    spec = subject_spec(model, sealed.subject)
    version = version_in(sealed)
    rows = model._default_manager.filter(**{f"{sealed.attname}__isnull": False})
    if sample:
        newest = rows.order_by("-pk").values_list("pk", flat=True)[:sample]
        rows = model._default_manager.filter(pk__in=list(newest))
    columns = {one.attname for one in model._meta.concrete_fields}
    if isinstance(spec, str) and spec in columns:
        pairs = rows.order_by().annotate(sealed_version=version).values_list(spec, "sealed_version")
        yield from pairs.annotate(sealed_row=AnyRow("pk")).iterator(CHUNK)
        return
    # A property tells whose key it is, from the row's plain columns.
    names = [one.name for one in model._meta.concrete_fields if isinstance(one, SealedMixin)]
    seen = set()
    for row in rows.defer(*names).annotate(sealed_version=version).iterator(CHUNK):
        pair = (resolve_subject(row, spec), row.sealed_version)
        if pair[0] is not None and pair not in seen:
            seen.add(pair)
            yield pair[0], pair[1], row.pk


def destroyed_but_live() -> list[UUID]:
    """Return subjects with a live key that the trail says was destroyed: an old backup came back."""
    told = AuditLog.objects.filter(event_type=DESTROYED, subject__isnull=False)
    destroyed = [one for one in told.values_list("subject", flat=True).distinct() if one is not None]
    live: set[UUID] = set()
    for start in range(0, len(destroyed), CHUNK):
        batch = destroyed[start : start + CHUNK]
        rows = SubjectKey.objects.filter(subject__in=batch, destroyed_at=None)
        live |= set(rows.values_list("subject", flat=True))
    return sorted(live)


def orphans() -> list[UUID]:
    """Return subjects of live keys that no owner knows, but for those young enough to be on their way."""
    if registry.unregistered():
        return []
    rows = SubjectKey.objects.filter(destroyed_at=None).values("subject").annotate(oldest=Min("wanted_at"))
    old = rows.filter(oldest__lt=clock() - ON_ITS_WAY).order_by("subject")
    subjects = list(old.values_list("subject", flat=True))
    found: list[UUID] = []
    for start in range(0, len(subjects), CHUNK):
        batch = subjects[start : start + CHUNK]
        found += sorted(set(batch) - registry.existing_subjects(batch))
    return found


def by_master() -> dict[str, int]:
    """Return how many live keys each master key wraps."""
    rows = SubjectKey.objects.filter(destroyed_at=None).values("master_key_id").annotate(number=Count("pk"))
    return {row["master_key_id"]: row["number"] for row in rows.order_by("master_key_id")}
