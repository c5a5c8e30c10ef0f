"""Whose rows wait for a newer version of their key, where such rows lie, and what is still on an old one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Coalesce

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
    """A subject with more than one live version: the newest, how many are older, and since when it exists."""

    subject: UUID
    version: int
    older: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A table with sealed fields: the path to whose key seals a row, and what its trigger lets pass.

    `otherwise` is the path where the first one is empty: an alert about nobody is its organization's.
    """

    model: type[models.Model]
    path: str
    otherwise: str
    fields: tuple[Any, ...]
    guard: str

    @property
    def label(self) -> str:
        """The model's name."""
        return self.model._meta.label

    @property
    def whose(self) -> Any:
        """Say in SQL whose key seals a row."""
        return Coalesce(self.path, self.otherwise) if self.otherwise else F(self.path)


def waiting(subjects: Collection[UUID] = ()) -> list[Waiting]:
    """Return the subjects (of `subjects`, or all) with more than one live version, oldest first."""
    rows = _subjects(subjects).filter(number__gt=1).order_by("since", "subject")
    return [Waiting(one["subject"], one["newest"], one["number"] - 1, one["since"]) for one in rows]


def with_one_version(
    *, subjects: Collection[UUID] = (), older_than: timedelta = timedelta(0)
) -> Iterator[UUID]:
    """Yield the subjects (of these, or all) whose only version was made so long ago or longer."""
    rows = _subjects(subjects).filter(number=1, since__lte=clock() - older_than).order_by("since", "subject")
    yield from (one["subject"] for one in list(rows))


def houses() -> list[UUID]:
    """Return whose keys are no person's: organizations, and the house's second factors.

    A key that a form made on its way states a person's purpose: so the organizations are asked, too.
    """
    organizations = apps.get_model("accounts", "Organization")._default_manager.values_list("pk", flat=True)
    whose = Q(purpose=Purpose.ORGANIZATION) | Q(subject__in=list(organizations))
    rows = SubjectKey.objects.filter(whose, destroyed_at=None)
    return list(rows.order_by("subject").values_list("subject", flat=True).distinct())


def _subjects(subjects: Collection[UUID]) -> Any:
    rows = SubjectKey.objects.filter(destroyed_at=None)
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
    path = str(getattr(model, "sealed_person", spec if spec in columns else "patient_id"))
    if "__" not in path and path not in columns:
        raise LookupError(f"{model._meta.label} does not say by a column whose rows it holds")
    relation = path.rpartition("patient_id")[0]
    otherwise = "" if spec in columns else f"{relation}organization_id"
    return Place(model, path, otherwise, tuple(fields), guard_of(model._meta.db_table))


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
    """Return the rows of these subjects with a value under a version older than `version`."""
    whose = Q(**{f"{place.path}__in": subjects})
    if place.otherwise:
        whose |= Q(**{f"{place.path}__isnull": True, f"{place.otherwise}__in": subjects})
    rows = place.model._base_manager.filter(whose)
    versions = {f"sealed_in_{field.attname}": proof.version_in(field) for field in place.fields}
    return rows.alias(**versions).filter(reduce(or_, (Q(**{f"{name}__lt": version}) for name in versions)))


def left(subjects: Collection[UUID], version: int) -> dict[str, int]:
    """Return how many rows of these people are still on an older version, by table, those with any."""
    counts = {place.label: behind(place, subjects, version).count() for place in places()}
    counts["elsewhere"] = len(behind_elsewhere(subjects, version))
    return {label: number for label, number in counts.items() if number}


def behind_elsewhere(subjects: Collection[UUID], version: int) -> list[UUID]:
    """Return whose sealed values outside of models' fields are on an older version, one for each kind."""
    asked = set(subjects)
    return [
        one.subject
        for one in registry.sealed_elsewhere(0)
        if one.subject in asked and 0 < one.version < version
    ]


def holders(subjects: Collection[UUID], version: int) -> set[UUID]:
    """Return those of these people who still have a row on an older version."""
    found = set(behind_elsewhere(subjects, version))
    for place in places():
        rows = behind(place, subjects, version).order_by().annotate(sealed_whose=place.whose)
        found |= set(rows.values_list("sealed_whose", flat=True).distinct())
    return found


def resealed_lately(subjects: Collection[UUID]) -> set[UUID]:
    """Return those of these people of whom a row was sealed anew within the last hour."""
    rows = AuditLog.objects.filter(subject__in=subjects, event_type=RESEALED, occurred_at__gt=clock() - REST)
    return {one for one in rows.values_list("subject", flat=True).distinct() if one is not None}
