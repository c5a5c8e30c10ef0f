"""What the watchdog reads through the ORM: its own canaries. All other alerts it reads by SQL of its own."""

from __future__ import annotations

from uuid import UUID

from cortex.accounts.models import User
from crisis.alerts.models import Kind, RiskAlert
from crisis.duty.models import DutyShift, DutyStatus


def locked_canaries(organization_id: UUID) -> list[RiskAlert]:
    """Lock and return the canaries that still stand."""
    rows = RiskAlert.objects.select_for_update(of=("self",)).select_related("organization")
    return list(rows.waiting().filter(organization_id=organization_id, kind=Kind.CANARY).order_by("pk"))


def last_shift(user: User) -> DutyShift | None:
    """Return the shift of the canary's listener that runs, or waits to be started."""
    rows = DutyShift.objects.filter(user=user).exclude(status=DutyStatus.ENDED)
    return rows.order_by("-planned_end").first()
