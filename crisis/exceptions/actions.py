"""The write of an exception: the alert's owner opens the contacts, supervisors are told and read why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.accounts.choices import Role
from cortex.accounts.queries import active_users
from cortex.audit import Actor, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify
from crisis.alerts import moves
from crisis.alerts.models import RiskAlert
from crisis.alerts.queries import locked_alert, refuse_strangers
from crisis.alerts.states import OWNED
from crisis.alerts.timeline import append_event
from crisis.reviews.actions import CONTACTS_OPENED, make_item
from patients.contacts.actions import open_exception
from patients.contacts.models import ContactException


@action
def open_contacts(
    *, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None
) -> ContactException:
    """Open the emergency contacts of an alert's person to its owner for four hours, without consent.

    Every alert about a person is high or critical, which is what imminent danger is. NotFound for strangers,
    a conflict for who doesn't have the alert or for one that is over, RuleBroken for one about nobody and
    where the person agreed anyway, InputRefused with the field.
    """
    alert = locked_alert(alert_id)
    at = clock(at)
    refuse_strangers(actor, alert, at, cards=True)
    person = alert.patient if alert.patient is None else alert.patient.merged_into or alert.patient
    if person is None:
        raise RuleBroken("This alert concerns nobody in particular.", "nobody")
    if alert.status not in OWNED or alert.assigned_to_id != actor.id:
        raise moves.conflict(
            actor, alert, "Whoever has this alert opens the contacts. It must be yours.", "not_the_owner"
        )
    one = open_exception(
        actor=actor, patient=person, alert_id=alert.pk, level=alert.level, reason=reason, at=at
    )
    if one.opened_at != at:
        return Unchanged(one)  # type: ignore[return-value]
    append_event(actor, alert, CONTACTS_OPENED, at, note=reason.strip())
    _tell(actor, alert, one, at)
    record(actor, "alert.contacts_opened", alert, subject=person.pk, codes={"exception": str(one.pk)})
    return one


def _tell(actor: Actor, alert: RiskAlert, one: ContactException, at: datetime) -> None:
    """Tell the supervisors at once, and make it a task of one of them to read why within a day."""
    leads = active_users(organization_id=alert.organization_id, roles=[Role.SUPERVISOR])
    others = sorted(set(leads.values_list("pk", flat=True)) - {actor.id})
    item = make_item(
        actor=actor, organization_id=alert.organization_id, patient=one.patient, reason_code=CONTACTS_OPENED,
        source_type="alert", source_id=alert.pk, due_at=one.review_due_at,
        owner_id=others[0] if others else None, at=at,
    )  # fmt: skip
    notify(
        actor=actor, organization_id=alert.organization_id, user_ids=others, code=CONTACTS_OPENED,
        object_type="crisis.ReviewItem", object_id=item.pk, codes={"by": str(actor.id)},
    )  # fmt: skip
