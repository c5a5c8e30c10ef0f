"""Reads of emergency contacts: who is called, to whom they are open, and which exceptions nobody read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from cortex.access.context import AccessContext
from cortex.access.unreadable import UNREADABLE, readable
from cortex.audit import Actor, NotFound, RuleBroken
from patients.codes import PatientStatus
from patients.contacts.models import ContactException
from patients.privacy.queries import has_consent
from patients.registry.person import EmergencyContact

SHOWN = ("name", "legacy_text", "relationship", "phone", "note")
SEALED = (*SHOWN, "email")
CLOSED = "Closed: the person does not allow calls to their contacts."


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One person to call, opened; `changed_at` tells whether a form was drawn before a later change."""

    contact_id: UUID
    name: str
    relationship: str
    phone: str
    language: str
    note: str
    changed_at: datetime
    is_active: bool = True
    email: str = ""
    legacy_text: str = ""


def on_record(person_id: UUID, *, is_active: bool = True) -> QuerySet[EmergencyContact]:
    """Return whom to call about a person, in their order, or who no longer is.

    Whichever row of the person they were filed under: one that was linked is the same person.
    """
    return _filed(person_id).filter(is_active=is_active)


def _filed(person_id: UUID) -> QuerySet[EmergencyContact]:
    # An erased row opens to nobody: it must not close the page of who it was linked to.
    return EmergencyContact.objects.filter(patient__person_id=person_id).exclude(
        patient__status=PatientStatus.DELETED
    )


def contact_of(person_id: UUID, contact_id: UUID) -> EmergencyContact:
    """Return one contact of a person, retired or not; NotFound for any other."""
    found = _filed(person_id).filter(pk=contact_id).first()
    if found is None:
        raise NotFound
    return found


def contact_cards(
    ctx: AccessContext, person_id: UUID, *, section: str, is_active: bool = True
) -> list[ContactCard]:
    """Open whom to call about a person; the caller knows that they are open to the looker.

    The look at rows that were linked to the person is noted here, under `section`; the person's own is the
    caller's.
    """
    rows = list(on_record(person_id, is_active=is_active))
    ctx.open(rows, SHOWN)
    for linked in sorted({row.patient_id for row in rows} - {person_id}):
        ctx.saw(
            "person", subjects=[linked], object_type="patients.Patient", object_id=linked, sections=[section]
        )
    return [_card(row, readable) for row in rows]


def contact_card(ctx: AccessContext, person_id: UUID, contact_id: UUID, at: datetime) -> ContactCard:
    """Open everything that is known of one contact; NotFound for another person's, RuleBroken when closed."""
    row = contact_of(person_id, contact_id)
    refuse_closed(ctx.actor, person_id, at, by_consent_alone=not row.is_active)
    ctx.open([row], SEALED)
    note_look(ctx, row)
    return _card(row, getattr, whole=True)


def _card(row: EmergencyContact, get: Callable[..., Any], *, whole: bool = False) -> ContactCard:
    """Return a contact; with `readable` to read by, a list goes on where a form must refuse (`getattr`)."""

    def word(field: str) -> str:
        return str(get(row, field, UNREADABLE) or "")

    return ContactCard(
        contact_id=row.pk,
        name=word("name") or word("legacy_text"),
        relationship=word("relationship"),
        phone=word("phone"),
        language=row.language,
        note=word("note"),
        changed_at=row.updated_at,
        is_active=row.is_active,
        email=word("email") if whole else "",
        legacy_text=word("legacy_text"),
    )


def note_look(ctx: AccessContext, row: EmergencyContact) -> None:
    """Note that one contact was opened, by id."""
    ctx.saw(
        "emergency_contact", subjects=[row.patient_id], object_type="patients.EmergencyContact",
        object_id=row.pk, organization_id=row.organization_id,
    )  # fmt: skip


def refuse_closed(actor: Actor, person_id: UUID, at: datetime, *, by_consent_alone: bool = False) -> None:
    """Raise RuleBroken `contacts_closed` when a person's contacts are not open to an actor.

    The person's consent opens them, or an exception of the actor's own; retired ones open by consent alone.
    """
    if has_consent(person_id, "emergency_contact", at):
        return
    if by_consent_alone or open_until(actor, person_id, at) is None:
        raise RuleBroken(CLOSED, "contacts_closed")


def running(user_id: UUID, person_id: UUID, at: datetime) -> ContactException | None:
    """Return the exception by which somebody sees a person's contacts now, or None."""
    rows = ContactException.objects.running(at).filter(user_id=user_id, patient__person_id=person_id)
    return rows.order_by("-ends_at").first()


def exception_runs(person_id: UUID, at: datetime) -> bool:
    """Whether somebody opened a person's contacts without consent, and may ring them still."""
    return ContactException.objects.running(at).filter(patient__person_id=person_id).exists()


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
