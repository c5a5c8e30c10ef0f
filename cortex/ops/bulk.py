"""Many rows by one statement: each column travels as one binary array, what all rows share as one value.

COPY is closed to tables with row-level security, and the ORM's own bulk insert compiles every value of every
row.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import psycopg
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

from cortex.clock import steady_now
from cortex.crypto.fields import SealedMixin

Columns = Mapping[str, Sequence[Any]]
Plain = Callable[[Any], Any]


def insert_rows(
    rows: Sequence[models.Model],
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
    ignore: bool = False,
) -> None:
    """Insert unsaved rows of one model, with what their fields do before a save (sealing, times).

    A column that no row gives takes the database's default; `unique`, `update` and `ignore` are those of
    `insert_columns`. Raise IntegrityError or DataError as any insert does.
    """
    if rows:
        model = type(rows[0])
        insert_columns(model, _columns_of(model, rows), unique=unique, update=update, ignore=ignore)
        for row in rows:
            row._state.adding, row._state.db = False, connection.alias


def insert_columns(
    model: type[models.Model],
    columns: Columns,
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
    ignore: bool = False,
) -> None:
    """Insert rows given column by column, by attribute name (`patient_id`), sealed values as Enc.

    Where a row of the `unique` columns stands already its `update` columns are changed; with `ignore` it
    stays. Columns that aren't named take the database's default.
    """
    statement = _Statement(model)
    for name, values in columns.items():
        statement.add(_field(model, name), values)
    execute(statement.sql() + _on_conflict(model, unique, update, ignore=ignore), statement.values())


def insert_data(
    model: type[models.Model], items: Sequence[Any], extra: Columns, *, ignore: bool = False
) -> None:
    """Insert one row for each dataclass of `items`, whose fields are columns; `extra` has more columns.

    Sealed fields are sealed under each item's `patient_id`, whose keys the current context must hold.
    Columns that neither names take their default, or the time.
    """
    if not items:
        return
    columns: dict[str, Sequence[Any]] = dict(extra)
    now, count = steady_now(), len(items)
    for field in model._meta.concrete_fields:
        name = field.attname
        if name in columns or field.generated:
            continue
        if name in items[0].__dataclass_fields__:
            values = list(map(attrgetter(name), items))
            columns[name] = _seal_all(field, values, items) if isinstance(field, SealedMixin) else values
        elif getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            columns[name] = [now] * count
        elif not field.has_db_default():
            columns[name] = [field.get_default()] * count
    insert_columns(model, columns, ignore=ignore)


def _seal_all(field: SealedMixin, values: Sequence[Any], items: Sequence[Any]) -> list[Any]:
    return [
        None if value is None else field.seal(value, pk=item.id, subject=item.patient_id)
        for value, item in zip(values, items, strict=True)
    ]


class _Statement:
    """An INSERT from arrays: what differs from row to row comes out of them, the rest stands beside."""

    def __init__(self, model: type[models.Model]) -> None:
        self.table = model._meta.db_table
        self.count = 0
        self.differing: list[tuple[str, str, str]] = []
        self.arrays: list[list[Any]] = []
        self.same: list[tuple[str, str]] = []
        self.shared: list[Any] = []

    def add(self, field: Any, values: Sequence[Any]) -> None:
        """Add one column."""
        plain, kind, carried = _travel(field)
        first, self.count = values[0], len(values)
        if values.count(first) == self.count:
            self.same.append((_quoted(field.column), kind))
            self.shared.append(None if first is None else plain(first))
            return
        self.differing.append((_quoted(field.column), kind, carried))
        self.arrays.append([None if value is None else plain(value) for value in values])

    def sql(self) -> str:
        """Return the statement; rows that differ in nothing are counted by a series of numbers."""
        names = [name for name, _, _ in self.differing] + [name for name, _ in self.same]
        taken = [f"c{at}::{kind}" for at, (_, kind, _) in enumerate(self.differing)]
        taken += [f"%s::{kind}" for _, kind in self.same]
        arrays = ", ".join(f"%b::{carried}[]" for _, _, carried in self.differing)
        source = f"unnest({arrays}) AS u({', '.join(f'c{at}' for at in range(len(self.differing)))})"
        if not self.differing:
            source = f"generate_series(1, {self.count})"
        into = f"INSERT INTO {_quoted(self.table)} ({', '.join(names)})"
        return f"{into} SELECT {', '.join(taken)} FROM {source}"  # noqa: S608

    def values(self) -> list[Any]:
        """Return the values in the order of the statement's places."""
        return [*self.shared, *self.arrays]


def execute(sql: str, values: Sequence[Any]) -> int:
    """Run a statement whose values travel beside it, in binary; return how many rows it met."""
    connection.ensure_connection()
    # Django's own cursors write every value into the statement's text.
    with connection.make_cursor(psycopg.Cursor(connection.connection)) as cursor:  # type: ignore[arg-type]
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _on_conflict(
    model: type[models.Model], unique: Sequence[str], update: Sequence[str], *, ignore: bool
) -> str:
    if ignore:
        return " ON CONFLICT DO NOTHING"
    if not update:
        return ""
    of = ", ".join(_quoted(_field(model, name).column) for name in unique)
    put = (_quoted(_field(model, name).column) for name in update)
    return f" ON CONFLICT ({of}) DO UPDATE SET " + ", ".join(f"{one} = EXCLUDED.{one}" for one in put)


def _columns_of(model: type[models.Model], rows: Sequence[models.Model]) -> dict[str, list[Any]]:
    columns = {}
    for field in model._meta.concrete_fields:
        if field.generated:
            continue
        name = field.attname
        if type(field).pre_save is models.Field.pre_save:
            values = [row.__dict__[name] for row in rows]
        else:
            values = [field.pre_save(row, add=True) for row in rows]
        given = [type(value) is not DatabaseDefault for value in values]
        if not any(given):
            continue
        if not all(given):
            raise ValueError(f"{field} is given by some rows and left to the database by others")
        columns[name] = values
    return columns


@functools.cache
def _field(model: type[models.Model], name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if name in (field.attname, field.name))


@functools.cache
def _travel(field: Any) -> tuple[Plain, str, str]:
    """How a field's values travel: what makes them plain, their type, and the type that an array holds."""
    target = field.target_field if field.is_relation else field
    kind = str(target.db_type(connection))
    if isinstance(target, SealedMixin):
        return _sealed(target), "bytea", "bytea"
    if isinstance(target, ArrayField):
        # An array of arrays has to be a rectangle, so that each travels as its text.
        # Without the length of its texts, which would be cut.
        return _array_text, re.sub(r"^varchar\(\d+\)", "varchar", kind), "text"
    if isinstance(target, models.JSONField):
        return functools.partial(json.dumps, cls=target.encoder), kind, "text"
    if isinstance(target, models.CharField | models.TextField):
        # Without its length, which would cut a text that is too long instead of refusing it.
        return _text, kind.partition("(")[0], kind.partition("(")[0]
    return _same, kind, kind


def _sealed(field: Any) -> Plain:
    return lambda value: field.get_db_prep_save(value, connection)


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    # A member of a choice is a text with a class of its own.
    return value if type(value) is str else str.__str__(value)


def _array_text(values: Iterable[Any]) -> str:
    """An array as PostgreSQL reads it."""
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
