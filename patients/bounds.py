"""Builders of the floor's database constraints: closed lists, ranges, order of times, keys of sources."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from patients.codes import SENSITIVITY_LABELS


def one_of(field: str, values: Iterable[str], name: str) -> models.CheckConstraint:
    """A CHECK that a text column holds one of `values`."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": sorted(values)}), name=name)


def between(field: str, low: float, high: float, name: str) -> models.CheckConstraint:
    """A CHECK that a column is empty or within `low` and `high`, both included."""
    bounds = Q(**{f"{field}__gte": low, f"{field}__lte": high})
    return models.CheckConstraint(condition=bounds | Q(**{f"{field}__isnull": True}), name=name)


def all_between(fields: Iterable[str], low: float, high: float, name: str) -> models.CheckConstraint:
    """One CHECK that each of several columns is empty or within the bounds."""
    condition = Q()
    for field in fields:
        condition &= Q(**{f"{field}__gte": low, f"{field}__lte": high}) | Q(**{f"{field}__isnull": True})
    return models.CheckConstraint(condition=condition, name=name)


def not_before(later: str, earlier: str, name: str) -> models.CheckConstraint:
    """A CHECK that `later` is empty or at or after `earlier`."""
    condition = Q(**{f"{later}__isnull": True}) | Q(**{f"{later}__gte": F(earlier)})
    return models.CheckConstraint(condition=condition, name=name)


def source_keys(prefix: str, *sources: str) -> list[models.UniqueConstraint]:
    """Unique keys of sources inside `legacy_ids`; rows that were never imported cost nothing."""
    return [
        models.UniqueConstraint(
            KeyTextTransform(source, "legacy_ids"),
            condition=Q(legacy_ids__has_key=source),
            name=f"{prefix}_key_{number}",
        )
        for number, source in enumerate(sources, start=1)
    ]


def sensitivity_field() -> ArrayField:
    """Labels of segmentation (domain 7.4); none means normal."""
    return ArrayField(models.CharField(max_length=12), default=list, blank=True)


def known_labels(name: str) -> models.CheckConstraint:
    """A CHECK that only labels of the list are used."""
    condition = Q(sensitivity_labels__contained_by=list(SENSITIVITY_LABELS))
    return models.CheckConstraint(condition=condition, name=name)
