"""How rows are appended to a trail: the statement of Django's `bulk_create`, made and planned once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

from cortex.ops.postgres.planned import planned_cursor

# More rows at once are seldom: their statement is not worth keeping.
FEW = 4


class Appended:
    """Rows of one model that are written once; the database fills what it fills by itself."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model
        self._statements: dict[tuple[int, tuple[int, ...]], str] = {}

    def append(self, rows: Sequence[models.Model]) -> None:
        """Write these rows, in one statement."""
        if not rows:
            return
        if len(rows) > FEW:
            self._model._default_manager.bulk_create(rows)
            return
        fields = self._model._meta.concrete_fields
        given = [[field.pre_save(row, add=True) for field in fields] for row in rows]
        # Where a value is the database's own in one row, it is in all.
        sent = tuple(n for n, one in enumerate(given[0]) if not isinstance(one, DatabaseDefault))
        values = [fields[n].get_db_prep_save(one[n], connection) for one in given for n in sent]
        with planned_cursor() as cursor:
            cursor.execute(self._statement(len(rows), sent), values)

    def _statement(self, count: int, sent: tuple[int, ...]) -> str:
        found = self._statements.get((count, sent))
        if found is None:
            quote = connection.ops.quote_name
            names = ", ".join(quote(str(self._model._meta.concrete_fields[n].column)) for n in sent)
            row = iter(range(1, count * len(sent) + 1))
            groups = [", ".join(f"${next(row)}" for _ in sent) for _ in range(count)]
            table = quote(self._model._meta.db_table)
            values = ", ".join(f"({one})" for one in groups)
            found = " ".join(("INSERT INTO", table, f"({names})", "VALUES", values))
            self._statements[count, sent] = found
        return found
