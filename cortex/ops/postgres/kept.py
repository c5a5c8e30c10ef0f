"""A query of one model whose SQL Django makes once: most of what a small read costs is making its SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models

M = TypeVar("M", bound=models.Model)


class KeptQuery(Generic[M]):
    """The columns, the SQL and the rows of a queryset that is the same each time but for the database's rows.

    `build` gives the queryset, related rows by `select_related` at most one step away. Its values become
    constants of the SQL, which `text` renders once as a sub-select with named columns.
    """

    def __init__(self, build: Callable[[], models.QuerySet[M]]) -> None:
        self._build = build

    @cached_property
    def _made(self) -> tuple[Any, str]:
        compiler = self._build().query.get_compiler(DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql(with_col_aliases=True)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            text: str = cursor.mogrify(sql, values) if values else sql % ()
        return compiler, text

    @property
    def text(self) -> str:
        """Return the SQL with all values in it."""
        return self._made[1]

    @cached_property
    def width(self) -> int:
        """Return how many columns it has."""
        return len(self._made[0].select)

    @cached_property
    def _converters(self) -> Any:
        compiler = self._made[0]
        return compiler.get_converters([chosen[0] for chosen in compiler.select])

    @cached_property
    def _shape(self) -> tuple[Any, ...]:
        compiler = self._made[0]
        info = compiler.klass_info
        names, start, end = _columns(compiler, info)
        related = []
        for one in info.get("related_klass_infos", ()):
            field = one["field"]
            related.append((field, one["model"], *_columns(compiler, one)))
        return info["model"], names, start, end, related, tuple(compiler.annotation_col_map.items())

    def row(self, values: Sequence[Any]) -> M:
        """Return the instance that Django would have made of a row."""
        if self._converters:
            values = next(iter(self._made[0].apply_converters([list(values)], self._converters)))
        model, names, start, end, related, annotations = self._shape
        made: M = model.from_db(DEFAULT_DB_ALIAS, names, values[start:end])
        for field, other, its_names, first, last in related:
            field.set_cached_value(made, other.from_db(DEFAULT_DB_ALIAS, its_names, values[first:last]))
        for name, place in annotations:
            setattr(made, name, values[place])
        return made


def _columns(compiler: Any, info: Any) -> tuple[list[str], int, int]:
    places = info["select_fields"]
    names = [compiler.select[place][0].target.attname for place in places]
    return names, places[0], places[-1] + 1
