"""What the sweeper looks for: due rows, owners who left, owners who came back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from cortex.accounts.models import Role
from cortex.accounts.queries import live_sessions
from crisis.alerts.models import RiskAlert
from crisis.duty.models import DESK, DutyShift, DutyStatus
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
    """The owner may work at a desk, is signed in, and has not ended their shift since, unless they supervise.

    A therapist who claims an alert of their own patient was never on shift: their session alone counts.
    """
    shifts = DutyShift.objects.filter(user=OuterRef("assigned_to"))
    left = shifts.filter(status=DutyStatus.ENDED, ended_at__gte=OuterRef("claimed_at"))
    on_duty = Q(Exists(shifts.running())) | ~Q(Exists(left)) | Q(assigned_to__role=Role.SUPERVISOR)
    able = Q(assigned_to__role__in=DESK)
    return Q(Exists(live_sessions(OuterRef("assigned_to"), at))) & on_duty & able


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
