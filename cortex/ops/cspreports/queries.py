"""Reads of violations of the content policy."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from cortex.ops.cspreports.models import CspViolation
from cortex.ops.cspreports.parsing import Violation

Key = tuple[str, str, str]


def rows_in_all() -> int:
    """Return how many rows there are."""
    return CspViolation.objects.count()


def known_keys(violations: Collection[Violation]) -> set[Key]:
    """Return which of these already have a row."""
    asked = Q()
    for one in violations:
        asked |= Q(directive=one.directive, source=one.source, route=one.route)
    found = CspViolation.objects.filter(asked).order_by() if violations else CspViolation.objects.none()
    return set(found.values_list("directive", "source", "route"))
