"""The figures beside the main navigation, for whoever works on the desk."""

from __future__ import annotations

from django.http import HttpRequest

from cortex.clock import clock
from cortex.ui.nav import DESK
from crisis.desk.queries import rail_counts


def rail(request: HttpRequest) -> dict[str, int]:
    """Return the counts of the rail for this person; nothing for roles without a desk."""
    if str(request.user.role) not in DESK:  # type: ignore[union-attr]
        return {}
    return rail_counts(request.user, clock())  # type: ignore[arg-type]
