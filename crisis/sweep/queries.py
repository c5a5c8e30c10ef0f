"""What the sweeper looks for: due rows, owners who left, owners who came back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from cortex.accounts.models import Role, SessionState
from cortex.accounts.sessions.clocks import limits
from crisis.alerts.models import RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation.models import AlertStep
from crisis.risk.models import RiskAssessment


def locked_step(step_id: UUID) -> AlertStep | None:
    """Lock and return a due row; None when it is done or another sweeper has it."""
    return (
        AlertStep.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=step_id, done_at__isnull=True)
        .first()
    )


def _present(at: datetime) -> Q:
    """The owner is signed in, and on shift or a supervisor."""
    shift = DutyShift.objects.running().filter(user=OuterRef("assigned_to"))
    bounds = limits()
    awake = Q(last_input_at__gt=at - bounds.idle) | (Q(on_board=True) & ~Q(user__pin_hash=""))
    session = SessionState.objects.filter(
        awake, user=OuterRef("assigned_to"), started_at__gt=at - bounds.absolute
    )
    return Q(Exists(session)) & (Q(Exists(shift)) | Q(assigned_to__role=Role.SUPERVISOR))


def absent_owner_alert_ids(at: datetime) -> list[UUID]:
    """Return the claimed alerts whose owner has left and for whom this was not noted yet."""
    return list(
        RiskAlert.objects.owned()
        .filter(~_present(at), owner_gone_at__isnull=True)
        .values_list("pk", flat=True)
    )


def returned_owner_alert_ids(at: datetime) -> list[UUID]:
    """Return the claimed alerts whose owner had left and is back."""
    return list(
        RiskAlert.objects.owned()
        .filter(_present(at), owner_gone_at__isnull=False)
        .values_list("pk", flat=True)
    )


def current_level(patient_id: UUID) -> str:
    """Return the level of the person's newest evaluation; low when there is none."""
    newest = RiskAssessment.objects.filter(patient_id=patient_id).order_by("-computed_at", "-id").first()
    return newest.level if newest else "low"
