"""For which organizations besides their own people work now; the floors above say why (a shift)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.db.models import Model
from django.db.models.expressions import Combinable, RawSQL

# Each gives, as SQL over the person's row, an array of organization ids, or NULL.
PARTS: dict[str, Callable[[], Combinable]] = {}


def register(name: str, part: Callable[[], Combinable]) -> None:
    """Add a reason for which people reach another organization; called once, at start."""
    PARTS[f"covers_by_{name}"] = part


@cache
def columns(people: type[Model]) -> dict[str, RawSQL]:
    """Return what a query of people must carry, by name.

    Each request asks for it, so the parts become SQL once: they hold nothing of a request, and Django takes
    five times as long to build them as the database to answer.
    """
    query = people._default_manager.annotate(**{name: part() for name, part in PARTS.items()}).query
    compiler = query.get_compiler("default")
    parts = {name: query.annotations[name] for name in PARTS}
    compiled = {name: compiler.compile(part) for name, part in parts.items()}
    return {
        name: RawSQL(sql, params, parts[name].output_field)  # noqa: S611 (Django's own SQL, without input)
        for name, (sql, params) in compiled.items()
    }
