"""Django's permission question, answered by the one predicate of relationships; it signs nobody in."""

from __future__ import annotations

from typing import Any

from cortex.clock import clock
from patients.registry.access import CHART, CONSENTS, VIEW, may_view
from patients.registry.models import Patient

APP = "patients."
ANSWERED = {f"{APP}{name}": name for name in (VIEW, CHART, CONSENTS)}


class RelationshipBackend:
    """Answers `user.has_perm("patients.view_patient", patient)` by relationship and time."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Know nobody: signing in is another backend's work."""

    def has_perm(self, user: Any, permission: str, obj: Any = None) -> bool:
        """Answer for a patient only; anything else is somebody else's question."""
        if not isinstance(obj, Patient) or permission not in ANSWERED:
            return False
        return may_view(user, obj.pk, clock(), ANSWERED[permission])
