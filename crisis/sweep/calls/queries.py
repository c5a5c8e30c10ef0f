"""What a batch of calls reads: its due steps, locked, and whether the desk's incident stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from crisis.alerts.models import Kind, RiskAlert
from crisis.escalation.models import AlertStep


def locked_calls(step_ids: Iterable[UUID], at: datetime) -> list[AlertStep]:
    """Lock and return those of these steps that are due; what another sweeper has is left to it."""
    rows = AlertStep.objects.select_for_update(of=("self",), skip_locked=True)
    return list(rows.due(at).filter(pk__in=list(step_ids)))


def has_incident(organization_id: UUID) -> bool:
    """Whether the incident that nobody is on shift stands; it is neither locked nor waited for."""
    return RiskAlert.objects.open().filter(organization_id=organization_id, kind=Kind.NO_COVER).exists()
