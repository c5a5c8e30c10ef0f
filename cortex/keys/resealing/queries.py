"""Whose rows wait for a newer version of their key, where such rows lie, and what is still on an old one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Count, Max, Q

from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import subject_spec
from cortex.keys import registry
from cortex.keys.models import Purpose, SubjectKey
from cortex.keys.proof import queries as proof
from cortex.keys.store import YOUNGEST_ORPHAN

RESEALED = "key.resealed"
REST = YOUNGEST_ORPHAN
"""No transaction of ours runs this long: whoever held a row from before could write it back until then."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person with more than one live version: the newest, how many are older, and since when it exists."""

    subject: UUID
    version: int
    older: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A table with sealed fields: the path to whose key seals a row, and what its trigger lets pass."""

    model: type[models.Model]
    path: str
    fields: tuple[Any, ...]
    guard: str

    @property
    def label(self) -> str:
        """The model's name."""
        return self.model._meta.label


def waiting(subjects: Collection[UUID] = ()) -> list[Waiting]:
    """Return the people (of `subjects`, or all) with more than one live version, oldest first."""
    rows = _people(subjects).filter(number__gt=1).order_by("since", "subject")
    return [Waiting(one["subject"], one["newest"], one["number"] - 1, one["since"]) for one in rows]


def with_one_version(
    *, subjects: Collection[UUID] = (), older_than: timedelta = timedelta(0)
) -> Iterator[UUID]:
    """Yield the people (of `subjects`, or all) whose only version was made so long ago or longer."""
    rows = _people(subjects).filter(number=1, since__lte=clock() - older_than).order_by("since", "subject")
    yield from (one["subject"] for one in list(rows))


def _people(subjects: Collection[UUID]) -> Any:
    rows = SubjectKey.objects.filter(destroyed_at=None, purpose=Purpose.PATIENT)
    if subjects:
        rows = rows.filter(subject__in=subjects)
    return rows.values("subject").annotate(number=Count("pk"), newest=Max("version"), since=Max("created_at"))


def places() -> list[Place]:
    """Return every table with a sealed field."""
    return [place_of(model) for model in proof.sealed_models()]


def place_of(model: type[models.Model]) -> Place:
    """Return where a model's rows lie and whose they are; raise LookupError when no column says it."""
    fields = [one for one in model._meta.concrete_fields if isinstance(one, SealedMixin)]
    specs = {subject_spec(model, one.subject) for one in fields}
    columns = {one.attname for one in model._meta.concrete_fields}
    (spec,) = specs
    # A property falls back to the organization where there is no person.
    path = getattr(model, "sealed_person", spec if spec in columns else "patient_id")
    if "__" not in path and path not in columns:
        raise LookupError(f"{model._meta.label} does not say by a column whose rows it holds")
    return Place(model, str(path), tuple(fields), guard_of(model._meta.db_table))


def guard_of(table: str) -> str:
    """Return what a table's append-only trigger was told: "erasable", "kept", or "" without one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(tgargs, 'escape') FROM pg_trigger "
            "WHERE tgrelid = %s::regclass AND tgname = 'append_only'",
            [f'"{table}"'],
        )
        row = cursor.fetchone()
    return "" if row is None else str(row[0]).split("\\000")[0]


def behind(place: Place, subjects: Collection[UUID], version: int) -> models.QuerySet[Any]:
    """Return the rows of these people with a value under a version older than `version`."""
    rows = place.model._base_manager.filter(**{f"{place.path}__in": subjects})
    versions = {f"sealed_in_{field.attname}": proof.version_in(field) for field in place.fields}
    return rows.alias(**versions).filter(reduce(or_, (Q(**{f"{name}__lt": version}) for name in versions)))


def left(subjects: Collection[UUID], version: int) -> dict[str, int]:
    """Return how many rows of these people are still on an older version, by table, those with any."""
    counts = {place.label: behind(place, subjects, version).count() for place in places()}
    elsewhere = sum(
        one.subject in set(subjects) and one.version < version for one in registry.sealed_elsewhere(0)
    )
    return {label: number for label, number in (counts | {"elsewhere": elsewhere}).items() if number}


def holders(subjects: Collection[UUID], version: int) -> set[UUID]:
    """Return those of these people who still have a row on an older version."""
    found = {
        one.subject
        for one in registry.sealed_elsewhere(0)
        if one.subject in set(subjects) and one.version < version
    }
    for place in places():
        found |= set(
            behind(place, subjects, version).order_by().values_list(place.path, flat=True).distinct()
        )
    return found


def resealed_lately(subjects: Collection[UUID]) -> set[UUID]:
    """Return those of these people of whom a row was sealed anew within the last hour."""
    rows = AuditLog.objects.filter(subject__in=subjects, event_type=RESEALED, occurred_at__gt=clock() - REST)
    return {one for one in rows.values_list("subject", flat=True).distinct() if one is not None}
