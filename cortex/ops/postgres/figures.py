"""Figures over rows as parts of another question, so that one statement answers several."""

from __future__ import annotations

from typing import Any

from django.db.models import FloatField, Func, IntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce


def count_of(rows: QuerySet[Any, Any]) -> Coalesce:
    """Return how many rows there are; 0 also where they are known to be none without asking."""
    return Coalesce(_over(rows, Func("pk", function="count", output_field=IntegerField())), 0)


def mean_of(rows: QuerySet[Any, Any], value: Any) -> Subquery:
    """Return the mean of a field or expression as a float, None without a value."""
    return _over(rows, Func(value, function="avg", output_field=FloatField()))


def _over(rows: QuerySet[Any, Any], figure: Func) -> Subquery:
    return Subquery(rows.order_by().values(figure=figure))
