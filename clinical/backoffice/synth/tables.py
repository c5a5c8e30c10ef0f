"""A table as COPY fills it: the columns that differ from row to row, and what is the same in each."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import GeneratedField, JSONField
from django.db.models.fields import NOT_PROVIDED


class Table:
    """One model's columns in the order of `line`; every other column takes its default, or is left out.

    `columns` are attribute names (`patient_id`). `same` are values that all rows of the load share. A column
    that may not be NULL and has neither fails at the first row, by PostgreSQL's own check.
    """

    def __init__(self, model: type[models.Model], *columns: str, **same: Any) -> None:
        self.model = model
        fields = [one for one in model._meta.concrete_fields if not isinstance(one, GeneratedField)]
        by_name = {one.attname: one for one in fields}
        unknown = {*columns, *same} - by_name.keys()
        if unknown:
            raise ValueError(f"{model.__name__} has no {sorted(unknown)}")
        rest = {
            one: same[one.attname] if one.attname in same else one.get_default()
            for one in fields
            if one.attname not in columns and (one.attname in same or one.db_default is NOT_PROVIDED)
        }
        shared = {one.column: _plain(one, value) for one, value in rest.items() if value is not None}
        self._shared = tuple(shared.values())
        names = [by_name[one].column for one in columns] + list(shared)
        self.sql = "COPY {} ({}) FROM STDIN".format(
            _quoted(model._meta.db_table), ", ".join(map(_quoted, names))
        )

    def line(self, *values: Any) -> tuple[Any, ...]:
        """Return one row, its own values first."""
        return values + self._shared


def _plain(field: Any, value: Any) -> Any:
    """Return a value as COPY's text form takes it: JSON as its text."""
    return json.dumps(value) if isinstance(field, JSONField) else value


def _quoted(name: str | None) -> str:
    return '"' + (name or "").replace('"', '""') + '"'
