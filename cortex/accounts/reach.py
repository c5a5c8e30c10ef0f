"""For which organizations besides their own people work now; the floors above say why (a shift)."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models.expressions import Combinable

# Each gives, as SQL over the person's row, an array of organization ids, or NULL.
PARTS: dict[str, Callable[[], Combinable]] = {}


def register(name: str, part: Callable[[], Combinable]) -> None:
    """Add a reason for which people reach another organization; called once, at start."""
    PARTS[f"covers_by_{name}"] = part


def columns() -> dict[str, Combinable]:
    """Return what a query of people must carry, by name."""
    return {name: part() for name, part in PARTS.items()}
