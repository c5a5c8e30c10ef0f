"""Writes of exceptions: open contacts without consent, and say that somebody else has read why."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.contacts import queries
from patients.contacts.models import LONGEST, ContactException
from patients.privacy.queries import has_consent
from patients.registry.models import Patient

# Domain 7.1: somebody else reads it within a day.
REVIEW_WITHIN = timedelta(hours=24)
SHORTEST_WORDS = 10


@action
def open_exception(
    *, actor: Actor, patient: Patient, alert_id: UUID, level: str, reason: str, at: datetime | None = None
) -> ContactException:
    """Open the contacts of a person on record to the actor for four hours, without their consent.

    The caller has locked the person and knows that the actor has an alert that says imminent danger. Raises
    InputRefused with the field, RuleBroken `open_already` where the person agreed; one that runs stands.
    """
    at = clock(at)
    if len(reason.strip()) < SHORTEST_WORDS:
        raise InputRefused("Say in a sentence what the danger is: it is read.", "required", field="reason")
    if has_consent(patient.pk, "emergency_contact", at):
        raise RuleBroken("The person agreed: their contacts are open to you.", "open_already")
    running = queries.running(actor.person.pk, patient.person_id, at)
    if running is not None:
        return Unchanged(running)  # type: ignore[return-value]
    with opening(actor, purpose="emergency_contact") as context:
        context.load_keys([patient.pk], create=True)
        one = ContactException.objects.create(
            organization_id=patient.organization_id, patient=patient, user=actor.person, alert_id=alert_id,
            level=level, reason=reason.strip(), opened_at=at, ends_at=at + LONGEST,
            review_due_at=at + REVIEW_WITHIN,
        )  # fmt: skip
    record(actor, "contacts.opened", one, codes={"level": level, "alert": str(alert_id)})
    return one


@action
def mark_read(*, actor: Actor, person_id: UUID, at: datetime | None = None) -> int:
    """Say that the actor has read a person's exceptions; nobody reads their own. Return how many."""
    found = queries.locked_unread(person_id)
    if not found:
        return Unchanged(0)  # type: ignore[return-value]
    if any(one.user_id == actor.id for one in found):
        raise RuleBroken("You opened them yourself: somebody else reads why.", "own_exception")
    at = clock(at)
    for one in found:
        one.reviewed_at, one.reviewed_by = at, actor.user
        one.save(update_fields=["reviewed_at", "reviewed_by", "updated_at"])
        record(actor, "contacts.exception_read", one, fields=["reviewed_at", "reviewed_by"])
    return len(found)
