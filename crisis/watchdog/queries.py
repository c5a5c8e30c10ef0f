"""What the watchdog reads through the ORM: its own canaries. All other alerts it reads by SQL of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.accounts.models import User
from crisis.alerts.models import Kind, RiskAlert
from crisis.alerts.states import OPEN
from crisis.duty.models import DutyShift, DutyStatus


def locked_canaries(organization_id: UUID) -> list[RiskAlert]:
    """Lock and return the canaries that still stand."""
    rows = RiskAlert.objects.select_for_update(of=("self",)).select_related("organization")
    return list(rows.waiting().filter(organization_id=organization_id, kind=Kind.CANARY).order_by("pk"))


def last_shift(user: User) -> DutyShift | None:
    """Return the shift of the canary's listener that runs, or waits to be started."""
    rows = DutyShift.objects.filter(user=user).exclude(status=DutyStatus.ENDED)
    return rows.order_by("-planned_end").first()


def locked_old_canaries(organization_id: UUID, before: datetime, limit: int) -> list[UUID]:
    """Lock the oldest ended canaries raised before a time, which nobody else holds now; return their ids.

    The place, the kind, the state and that nobody is meant must all agree: whoever deletes by this list can
    meet no alert of a person's.
    """
    rows = RiskAlert.objects.filter(
        organization_id=organization_id,
        organization__settings__contains={"canary": True},
        kind=Kind.CANARY,
        patient__isnull=True,
        assigned_to__isnull=True,
        raised_at__lt=before,
    ).exclude(status__in=OPEN)
    locked = rows.order_by("raised_at").select_for_update(of=("self",), skip_locked=True)
    return list(locked.values_list("pk", flat=True)[:limit])
