"""Teaches `refresh_from_db` to carry sealed values over as they are, without opening and resealing them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from django.db import models

from cortex.crypto.values import Enc

_MARK = "carries_sealed"


def teach_refresh(cls: type[models.Model]) -> None:
    """Wrap the class's `refresh_from_db` once: Django's own copies by attribute, which opens the value."""
    original = cls.refresh_from_db
    if getattr(original, _MARK, False):
        return

    @functools.wraps(original)
    def refresh_from_db(
        self: models.Model,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: Any = None,
    ) -> None:
        sealed = _sealed_names(self, fields)
        rest = None if fields is None else [name for name in fields if name not in sealed]
        queryset = from_queryset
        if queryset is None:
            queryset = type(self)._base_manager.db_manager(using, hints={"instance": self})
        if rest is None or rest:
            original(self, using, rest, queryset.defer(*_all_sealed(self)))
        if sealed:
            _copy_sealed(self, queryset.using(using) if using else queryset, sealed)

    setattr(refresh_from_db, _MARK, True)
    cls.refresh_from_db = refresh_from_db  # type: ignore[method-assign]


def _all_sealed(row: models.Model) -> list[str]:
    from cortex.crypto.sealed import SealedMixin

    return [field.attname for field in row._meta.concrete_fields if isinstance(field, SealedMixin)]


def _sealed_names(row: models.Model, fields: Iterable[str] | None) -> list[str]:
    if fields is None:
        return [name for name in _all_sealed(row) if name in row.__dict__]
    return [name for name in _all_sealed(row) if name in set(fields)]


def _copy_sealed(row: models.Model, queryset: Any, names: list[str]) -> None:
    found: tuple[Enc | None, ...] = queryset.filter(pk=row.pk).values_list(*names).get()
    for name, value in zip(names, found, strict=True):
        row.__dict__[name] = value
