"""Sealing apart from save(): many rows at once, a row ahead of its save, a row by the newest key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.db.models import Case, Value, When

from cortex.crypto.sealed import SealedMixin
from cortex.crypto.values import Enc, Pending

BATCH_ROWS = 500


def seal_update(queryset: models.QuerySet[Any], **values: Any) -> int:
    """Set sealed fields to the same plaintext on every row of `queryset`; return how many were changed.

    The current context must have loaded the keys of all rows. None empties a field. Fields that are not
    sealed are refused: use `update()` for them.
    """
    fields = _sealed_fields(queryset.model, values)
    changed = 0
    with transaction.atomic(using=queryset.db):
        rows = list(queryset.select_for_update(of=("self",)))
        for start in range(0, len(rows), BATCH_ROWS):
            batch = rows[start : start + BATCH_ROWS]
            columns = {field.attname: _case(field, batch, values[name]) for name, field in fields.items()}
            manager = queryset.model._base_manager.using(queryset.db)
            changed += manager.filter(pk__in=[row.pk for row in batch]).update(**columns)
    return changed


def seal_now(row: models.Model) -> None:
    """Seal what was assigned to a row at once, for a row that is saved after the context has closed."""
    for field in row._meta.concrete_fields:
        if isinstance(field, SealedMixin) and isinstance(row.__dict__.get(field.attname), Pending):
            field.pre_save(row, add=row._state.adding)


def reseal(row: models.Model, names: Iterable[str] = ()) -> list[str]:
    """Open the sealed fields of a row and mark them to be sealed by the newest key; return their names.

    The row is not saved; the current context must have loaded its key.
    """
    wanted = set(names)
    marked = []
    for field in row._meta.concrete_fields:
        if not isinstance(field, SealedMixin) or (wanted and field.name not in wanted):
            continue
        if isinstance(row.__dict__.get(field.attname), Enc):
            row.__dict__[field.attname] = Pending(getattr(row, field.attname))
            marked.append(field.name)
    return marked


def _sealed_fields(model: type[models.Model], names: Iterable[str]) -> dict[str, Any]:
    fields = {name: model._meta.get_field(name) for name in names}
    for name, field in fields.items():
        if not isinstance(field, SealedMixin):
            raise TypeError(f"{name} is no sealed field")
    return fields


def _case(field: Any, rows: list[Any], plaintext: Any) -> Any:
    if plaintext is None:
        return None
    return Case(
        *(
            When(
                pk=row.pk,
                then=Value(
                    field.seal(plaintext, pk=row.pk, subject=field.subject_for(row)), output_field=field
                ),
            )
            for row in rows
        ),
        output_field=field,
    )
