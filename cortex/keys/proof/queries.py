"""Walks keys and sealed rows of both databases and names what doesn't fit; opens keys, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Count, F, Func, IntegerField, Min

from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.crypto.errors import KeyProviderError
from cortex.crypto.provider import get_provider
from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import resolve_subject, subject_spec
from cortex.keys import registry
from cortex.keys.models import SubjectKey
from cortex.keys.queries import wrap_context

CHUNK = 1000
# A key commits before the row that it seals: one this young may belong to a row on its way.
ON_ITS_WAY = timedelta(hours=1)
DESTROYED = "key.destroyed"


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
    revived: list[UUID] = field(default_factory=list)
    orphans: list[UUID] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every key opens, every sealed row has its key, and nothing destroyed is back."""
        return not (self.unopened or self.keyless or self.revived)


def prove(sample: int = 0) -> Proof:
    """Open every wrapped key under the present master keys and look for the key of every sealed row.

    `sample` looks at the newest so many rows of each table alone; 0 at all of them. Orphans are keys without
    a subject: they harm nobody and are swept at night. Raise a database error; a key that doesn't open is
    named in the answer.
    """
    found = Proof()
    versions: dict[UUID, dict[int, bool]] = {}
    _open_all(found, versions)
    for label, subject, version in sealed_rows(sample):
        found.pairs += 1
        live = versions.get(subject, {}).get(version)
        if live is None:
            found.keyless.append(f"{label}: version {version} of subject {subject}")
        elif not live:
            found.erased_rows += 1
    found.revived = destroyed_but_live()
    found.orphans = orphans()
    return found


def _open_all(found: Proof, versions: dict[UUID, dict[int, bool]]) -> None:
    provider = get_provider()
    rows = SubjectKey.objects.order_by("pk").values_list("subject", "version", "master_key_id", "wrapped")
    for subject, version, master, blob in rows.iterator(CHUNK):
        versions.setdefault(subject, {})[version] = blob is not None
        if blob is None:
            found.tombstones += 1
            continue
        found.keys += 1
        found.by_master[master] += 1
        try:
            provider.unwrap(master, bytes(blob), wrap_context(subject, version))
        except KeyProviderError as fault:
            found.unopened.append(f"version {version} of subject {subject}: {fault}")


def sealed_rows(sample: int = 0) -> Iterator[tuple[str, UUID, int]]:
    """Yield (model, subject, key version) of what is sealed in the main database, each once per field."""
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


def _of_field(model: type[models.Model], sealed: Any, sample: int) -> Iterator[tuple[str, UUID, int]]:
    spec = subject_spec(model, sealed.subject)
    version = Func(
        F(sealed.attname),
        template="(get_byte(%(expressions)s, 2) << 8 | get_byte(%(expressions)s, 3))",
        output_field=IntegerField(),
    )
    rows = model._default_manager.filter(**{f"{sealed.attname}__isnull": False})
    if sample:
        newest = rows.order_by("-pk").values_list("pk", flat=True)[:sample]
        rows = model._default_manager.filter(pk__in=list(newest))
    label = f"{model._meta.label}.{sealed.name}"
    columns = {one.attname for one in model._meta.concrete_fields}
    if isinstance(spec, str) and spec in columns:
        pairs = rows.order_by().annotate(sealed_version=version).values_list(spec, "sealed_version")
        for subject, number in pairs.distinct().iterator(CHUNK):
            yield label, subject, number
        return
    # A property tells whose key it is, from the row's plain columns.
    names = [one.name for one in model._meta.concrete_fields if isinstance(one, SealedMixin)]
    seen = set()
    for row in rows.defer(*names).annotate(sealed_version=version).iterator(CHUNK):
        pair = (resolve_subject(row, spec), row.sealed_version)
        if pair[0] is not None and pair not in seen:
            seen.add(pair)
            yield label, pair[0], pair[1]


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
