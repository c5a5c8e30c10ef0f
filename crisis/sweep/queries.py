"""What the sweeper looks for: due rows, owners who left, owners who came back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q

from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Organization, Role
from cortex.accounts.queries import live_sessions
from cortex.clock import clock
from crisis.alerts.models import Kind, RiskAlert
from crisis.alerts.states import OPEN, Status
from crisis.duty.models import DutyShift, DutyStatus
from crisis.duty.queries import without_cover
from crisis.escalation.models import AlertStep, AttemptState, NotificationAttempt
from crisis.risk.models import RiskAssessment

# A transaction that stands still with a person's lock must not hold up everybody else's alerts.
LOCK_WAIT = "2s"
# Nothing that a round asks takes so long; a worker's tasks may.
STATEMENT = "10s"


def wait_briefly() -> None:
    """Let this connection give up on a lock that it doesn't get in two seconds, and on what takes ten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)",
            [LOCK_WAIT, STATEMENT],
        )


def locked_step(step_id: UUID) -> AlertStep | None:
    """Lock and return a row; None when it is done or another sweeper has it."""
    return (
        AlertStep.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=step_id, done_at__isnull=True)
        .first()
    )


def locked_due_step(step_id: UUID, at: datetime | None) -> AlertStep | None:
    """Lock and return a row that is due; None when it is done, was put off, or another sweeper has it."""
    step = locked_step(step_id)
    return None if step is None or step.due_at > clock(at) else step


def locked_due_steps(alert_id: UUID, at: datetime) -> list[AlertStep]:
    """Lock and return the due rows of one alert; those that another sweeper has are left to it."""
    rows = AlertStep.objects.select_for_update(of=("self",), skip_locked=True)
    return list(rows.due(at).filter(alert_id=alert_id))


def was_reported(patient_id: UUID, since: datetime) -> bool:
    """Whether people were told since then that something of this person could not be screened."""
    alerts = RiskAlert.objects.filter(patient_id=patient_id, kind=Kind.COULD_NOT_SCREEN)
    return alerts.filter(Q(raised_at__gte=since) | Q(status__in=OPEN)).exists()


def _present(at: datetime) -> Q:
    """The owner may work at a desk, is signed in, and has not ended their shift since, unless they supervise.

    A therapist who claims an alert of their own patient was never on shift: their session alone counts.
    """
    shifts = DutyShift.objects.filter(user=OuterRef("assigned_to"))
    left = shifts.filter(status=DutyStatus.ENDED, ended_at__gte=OuterRef("claimed_at"))
    on_duty = Q(Exists(shifts.running())) | ~Q(Exists(left)) | Q(assigned_to__role=Role.SUPERVISOR)
    able = Q(assigned_to__role__in=DESK_ROLES)
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


def uncovered_alert_ids(at: datetime) -> list[UUID]:
    """Return the waiting alerts of desks that everybody has left and whose chain hasn't reached its end.

    Where somebody is at the desk, no alert of it is read.
    """
    waiting = RiskAlert.objects.waiting()
    asked = Organization.objects.filter(Exists(waiting.filter(organization=OuterRef("pk"))))
    desks = without_cover(asked)
    if not desks:
        return []
    steps = Func(F("policy__chain"), function="jsonb_array_length", output_field=IntegerField())
    found = waiting.filter(organization_id__in=desks, chain_position__lt=steps)
    return list(found.values_list("pk", flat=True))


def covered_incident_ids(at: datetime) -> list[UUID]:
    """Return the incidents that nobody took up although somebody is on shift again."""
    incidents = RiskAlert.objects.waiting().filter(kind=Kind.NO_COVER)
    found = {organization: pk for pk, organization in incidents.values_list("pk", "organization_id")}
    if not found:
        return []
    desks = without_cover(Organization.objects.filter(pk__in=list(found)))
    return [pk for organization, pk in found.items() if organization not in desks]


def confirmed_new_alert_ids(at: datetime) -> list[UUID]:
    """Return new alerts that a channel has confirmed: whoever should have noted it was cut off."""
    seen = NotificationAttempt.objects.filter(alert=OuterRef("pk"), state=AttemptState.CONFIRMED)
    return list(RiskAlert.objects.filter(Exists(seen), status=Status.NEW).values_list("pk", flat=True))


def current_level(patient_id: UUID) -> str:
    """Return the level of the person's newest evaluation; low when there is none."""
    newest = RiskAssessment.objects.filter(patient_id=patient_id).order_by("-computed_at", "-id").first()
    return newest.level if newest else "low"
