"""What raising by hand and linking look up before they lock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Max, Q

from cortex.audit import NotFound
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.queries import GONE
from crisis.alerts.states import Status


def raised_with(token: UUID) -> RiskAlert | None:
    """Return the alert that a form was sent for already; a second press waits here for the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"hand:{token}"])
    return RiskAlert.objects.filter(hand_token=token).first()


def alert_about(alert_id: UUID) -> RiskAlert:
    """Return an alert, unlocked, with the person whom it was raised on; NotFound when absent."""
    alert = RiskAlert.objects.select_related("patient").filter(pk=alert_id).first()
    if alert is None:
        raise NotFound(GONE, "not_found")
    return alert


def open_on_row(patient_id: UUID) -> list[RiskAlert]:
    """Return the open alerts that were raised on one row of a person."""
    return list(RiskAlert.objects.open().filter(patient_id=patient_id).order_by("pk"))


def linked_at(patient_id: UUID) -> datetime | None:
    """Return when somebody said last who a row is; None where no alert of it tells."""
    said = AlertEvent.objects.filter(alert__patient_id=patient_id, kind="person_linked")
    return said.aggregate(at=Max("occurred_at"))["at"]


def merged_across(patient_id: UUID) -> list[RiskAlert]:
    """Return the alerts that ended in one of another row, where either stands on this row of a person.

    Those that were raised again already are left out.
    """
    ended = RiskAlert.objects.filter(status=Status.MERGED).exclude(merged_into__patient=F("patient"))
    here = ended.filter(Q(patient_id=patient_id) | Q(merged_into__patient_id=patient_id))
    return list(here.exclude(events__kind="raised_again").order_by("pk"))
