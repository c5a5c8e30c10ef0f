"""Seals rows anew in batches that never wait for a lock, and destroys a version that nothing is left on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Case, Value, When

from cortex.audit.actors import Actor
from cortex.audit.eraser import as_eraser
from cortex.audit.machine import action, record
from cortex.audit.rules import RuleBroken, Unchanged
from cortex.clock import clock
from cortex.crypto.errors import DecryptError, KeyDestroyed, KeyMissing
from cortex.crypto.keys import DataKey
from cortex.crypto.subjects import resolve_subject, subject_spec
from cortex.crypto.values import Enc
from cortex.keys import store
from cortex.keys.queries import SETTLING, data_keys, pick, sees_every_row
from cortex.keys.resealing import queries
from cortex.keys.resealing.queries import Place


class ResealRefused(RuleBroken):
    """Rows could be hidden from this role: what it can't see would be lost with the old version."""


class Resealed(NamedTuple):
    """How many rows were sealed anew, and which hold a value that doesn't open: by row, named for people."""

    done: int
    unopened: dict[Any, str]


@action
def begin_version(*, actor: Actor, subject_id: UUID) -> int | Unchanged[int]:
    """Add a version of a person's key, or none (0) while an older one still waits to be emptied."""
    version = store.add_version(subject_id, alone=True)
    if not version:
        return Unchanged(0)
    record(actor, "key.rotated", subject=subject_id, codes={"version": version})
    return version


@action
def reseal_rows(
    *,
    actor: Actor,
    model: type[models.Model],
    subjects: Collection[UUID],
    version: int,
    limit: int,
    skip: Collection[Any] = (),
) -> Resealed | Unchanged[Resealed]:
    """Seal up to `limit` rows of these people by `version`, but for those of `skip`.

    Each row is locked before its bytes are read, so that a newer value is never overwritten; a row that
    somebody else holds is passed over and met by a later call. Bytes go from key to key, nothing is shown.
    """
    place = queries.place_of(model)
    keys = {one: {key.version: key for key in versions} for one, versions in data_keys(subjects).items()}
    unopened: dict[Any, str] = {}
    counts: dict[UUID, int] = {}
    with as_eraser(place.guard == "erasable"):
        rows = queries.behind(place, subjects, version).exclude(pk__in=skip)
        relations = place.path.rpartition("__")[0]
        rows = rows.select_related(relations) if relations else rows
        locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        fresh: dict[Any, dict[Any, Enc]] = {}
        for row in locked.order_by("pk")[:limit]:
            subject = resolve_subject(row, subject_spec(model, place.fields[0].subject))
            try:
                values = _values(place, row, subject, keys.get(subject, {}), version) if subject else {}
            except (DecryptError, KeyDestroyed, KeyMissing) as fault:
                unopened[row.pk] = f"{place.label} {row.pk}: {fault}"
                continue
            for field, enc in values.items():
                fresh.setdefault(field, {})[row.pk] = enc
            if values and subject:
                counts[subject] = counts.get(subject, 0) + 1
        for field, encs in fresh.items():
            cases = (When(pk=pk, then=Value(enc, output_field=field)) for pk, enc in encs.items())
            changed = Case(*cases, output_field=field)
            model._base_manager.filter(pk__in=list(encs)).update(**{field.attname: changed})
    for subject, count in counts.items():
        codes = {"rows": count, "version": version, "table": place.label}
        record(actor, queries.RESEALED, subject=subject, codes=codes)
    made = Resealed(sum(counts.values()), unopened)
    return made if made.done else Unchanged(made)


def _values(
    place: Place, row: models.Model, subject: UUID, keys: dict[int, DataKey], version: int
) -> dict[Any, Enc]:
    values = {}
    for field in place.fields:
        enc = row.__dict__[field.attname]
        if enc is None or enc.version >= version:
            continue
        aad = field.aad(row.pk, subject)
        plain = pick(keys, subject, enc.version).unseal(enc.blob, aad)
        values[field] = Enc(pick(keys, subject, version).seal(plain, aad), aad)
    return values


@action
def retire_versions(*, actor: Actor, subjects: Collection[UUID], version: int) -> int | Unchanged[int]:
    """Destroy what is older than `version` of those people of whom no row is left on it; return how many.

    Not before an hour has passed since the newer one seals, and in which nothing of them had to be sealed
    anew: somebody could still write back a row that they read before. Raise ResealRefused.
    """
    if not sees_every_row():
        raise ResealRefused("Only the system role can tell that nothing is left.", "wrong_role")
    rested = clock() - queries.REST - SETTLING
    ready = {
        one.subject for one in queries.waiting(subjects) if one.version == version and one.since <= rested
    } - queries.resealed_lately(subjects)
    if ready:
        ready -= queries.holders(ready, version)
    total = 0
    for subject in sorted(ready):
        # As with `destroy_key`, a crash between leaves them destroyed without their row.
        count = store.erase_older(subject, version)
        if count:
            record(actor, "key.versions_destroyed", subject=subject, codes={"older_than": version})
        total += count
    return total or Unchanged(0)
