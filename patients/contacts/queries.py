"""Reads of exceptions: until when somebody sees whose contacts without consent, and which nobody read yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.audit import Actor
from patients.contacts.models import ContactException


def running(user_id: UUID, person_id: UUID, at: datetime) -> ContactException | None:
    """Return the exception by which somebody sees a person's contacts now, or None."""
    rows = ContactException.objects.running(at).filter(user_id=user_id, patient__person_id=person_id)
    return rows.order_by("-ends_at").first()


def open_until(actor: Actor, person_id: UUID, at: datetime) -> datetime | None:
    """Return until when a person's contacts are open to an actor without consent; None when they are not."""
    if actor.user is None:
        return None
    found = running(actor.user.pk, person_id, at)
    return found.ends_at if found else None


def locked_unread(person_id: UUID) -> list[ContactException]:
    """Lock and return a person's exceptions that nobody else has read."""
    rows = ContactException.objects.select_for_update(of=("self",)).unreviewed()
    return list(rows.filter(patient__person_id=person_id).order_by("pk"))
