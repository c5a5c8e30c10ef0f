"""Writes of emergency contacts: kept right by who treats the person, opened without consent, that read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import AccessContext, opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.crypto.blind import normalise_email, normalise_phone
from patients.codes import HeldRecords
from patients.contacts import queries
from patients.contacts.models import LONGEST, MOST, ContactException
from patients.holds.queries import refuse_held
from patients.privacy.queries import has_consent
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.registry.queries import lock_person
from patients.registry.records import LANGUAGE, ContactData

# Domain 7.1: somebody else reads it within a day.
REVIEW_WITHIN = timedelta(hours=24)
SHORTEST_WORDS = 10
PURPOSE = "emergency_contact"
HELD = (
    "A legal hold keeps this contact as it is. Retire it and add the right one: what stands is kept, and the "
    "new one is called."
)
# The same name and number again so soon is the same form, sent twice.
TWICE_WITHIN = timedelta(minutes=1)


@action
def add_contact(
    *, actor: Actor, patient: Patient, data: ContactData, place: int = MOST, at: datetime | None = None
) -> EmergencyContact:
    """Put somebody to call on the record of a person, at a place in the order (1 is called first).

    The caller knows that the actor treats the person. It needs no consent: without one the contact stays
    closed. A form that is sent twice adds once. Raises InputRefused with the field, and RuleBroken
    `contacts_full`.
    """
    person_id = lock_person(patient.pk)
    at = clock(at)
    values = _read(data, patient)
    with opening(actor, purpose=PURPOSE) as context:
        context.load_keys([patient.pk], create=True)
        twin = _just_added(context, person_id, values, at)
        if twin is not None:
            return Unchanged(twin)  # type: ignore[return-value]
        line = _line(person_id, with_room=True)
        row = EmergencyContact(organization_id=patient.organization_id, patient=patient, **values)
        context.open([row], queries.SEALED)
        queries.note_look(context, row)
        moved = _put(line, row, place)
        row.save(force_insert=True)
    given = sorted(name for name, value in values.items() if value)
    record(actor, "contact.added", row, fields=given, codes={"place": row.order, "moved": moved})
    return row


@action
def correct_contact(
    *,
    actor: Actor,
    patient: Patient,
    contact_id: UUID,
    seen: datetime | None,
    data: ContactData,
    place: int,
    at: datetime | None = None,
) -> EmergencyContact:
    """Correct a contact as it stood at `seen` (its `changed_at`); only what differs is written, and named.

    The caller knows that the actor treats the person. Raises NotFound, InputRefused with its field, or
    RuleBroken: `contacts_closed` without consent or exception, `contact_retired`, `stale` when it changed,
    `legal_hold` when words that a hold keeps would be written over.
    """
    person_id = lock_person(patient.pk)
    at = clock(at)
    row = queries.contact_of(person_id, contact_id)
    queries.refuse_closed(actor, person_id, at)
    if not row.is_active:
        raise RuleBroken("This contact was retired meanwhile. Put them back first.", "contact_retired")
    _refuse_stale(row, seen)
    with opening(actor, purpose=PURPOSE) as context:
        context.open([row], queries.SEALED)
        queries.note_look(context, row)
        values = _read(data, patient, before=row)
        changed = [name for name, value in values.items() if (getattr(row, name) or None) != (value or None)]
        if any(getattr(row, name) for name in changed):
            refuse_held(row.patient_id, HeldRecords.PERSON, said=HELD)
        stood = row.order
        moved = _put(_line(person_id), row, place)
        if row.order != stood:
            changed.append("order")
        if not changed and not moved:
            return Unchanged(row)  # type: ignore[return-value]
        for name in values.keys() & set(changed):
            setattr(row, name, values[name])
        row.save(update_fields=[*changed, "updated_at"])
    codes = {"place": row.order, "moved": moved}
    record(actor, "contact.corrected", row, fields=sorted(changed), codes=codes)
    return row


@action
def retire_contact(
    *, actor: Actor, patient: Patient, contact_id: UUID, seen: datetime | None
) -> EmergencyContact:
    """Say that somebody is not to be called any more: the row stays, and no page shows them to be called.

    The caller knows that the actor treats the person. Raises NotFound, and RuleBroken `stale`.
    """
    person_id = lock_person(patient.pk)
    row = queries.contact_of(person_id, contact_id)
    if not row.is_active:
        return Unchanged(row)  # type: ignore[return-value]
    _refuse_stale(row, seen)
    row.is_active = False
    row.save(update_fields=["is_active", "updated_at"])
    codes = {"place": row.order, "moved": _put(_line(person_id))}
    record(actor, "contact.retired", row, fields=["is_active"], codes=codes)
    return row


@action
def restore_contact(*, actor: Actor, patient: Patient, contact_id: UUID) -> EmergencyContact:
    """Take a retirement back: the contact stands where it stood in the order.

    The caller knows that the actor treats the person. Raises NotFound, and RuleBroken `contacts_full`.
    """
    person_id = lock_person(patient.pk)
    row = queries.contact_of(person_id, contact_id)
    if row.is_active:
        return Unchanged(row)  # type: ignore[return-value]
    moved = _put(_line(person_id, with_room=True), row, row.order)
    row.is_active = True
    row.save(update_fields=["is_active", "order", "updated_at"])
    codes = {"place": row.order, "moved": moved}
    record(actor, "contact.restored", row, fields=["is_active"], codes=codes)
    return row


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


def _just_added(
    context: AccessContext, person_id: UUID, values: Mapping[str, str | None], at: datetime
) -> EmergencyContact | None:
    """Return whom the same form put on record a moment ago, or None."""
    rows = list(queries.on_record(person_id).filter(created_at__gte=at - TWICE_WITHIN))
    context.open(rows, ("name", "phone"))
    for one in rows:
        queries.note_look(context, one)
    same = (one for one in rows if (one.name, one.phone) == (values["name"], values["phone"]))
    return next(same, None)


def _line(person_id: UUID, *, with_room: bool = False) -> list[EmergencyContact]:
    """Return whom to call now, in order; `with_room` refuses a list that is full."""
    line = list(queries.on_record(person_id))
    if with_room and len(line) >= MOST:
        raise RuleBroken(f"{MOST} people are on record. Retire one of them first.", "contacts_full")
    return line


def _put(line: list[EmergencyContact], row: EmergencyContact | None = None, place: int = MOST) -> int:
    """Number a line anew with a row at its place, save the others that moved, and return how many did.

    The row itself is the caller's to save. Somebody who looks at one that moved hears that it changed.
    """
    others = [one for one in line if row is None or one.pk != row.pk]
    ordered = others if row is None else [*others[: place - 1], row, *others[place - 1 :]]
    moved = 0
    for number, one in enumerate(ordered, start=1):
        order = min(number, MOST)
        if one is row:
            one.order = order
        elif one.order != order:
            one.order = order
            one.save(update_fields=["order", "updated_at"])
            moved += 1
    return moved


def _refuse_stale(row: EmergencyContact, seen: datetime | None) -> None:
    if row.updated_at != seen:
        raise RuleBroken("Somebody changed this contact meanwhile. Look at it as it is now.", "stale")


def _read(
    data: ContactData, patient: Patient, *, before: EmergencyContact | None = None
) -> dict[str, str | None]:
    """Return the columns of what was typed; a phone is kept with its country code.

    A phone and an e-mail that stand so on record stay as they are, whoever wrote them and however: nobody
    should have to mend them to correct something else. Raises InputRefused with the field.
    """
    name, phone, email = data.name.strip(), data.phone.strip(), data.email.strip()
    if not name:
        raise InputRefused("Write who it is.", "required", field="name")
    if not phone:
        raise InputRefused("Write the number to call.", "required", field="phone")
    if before is None or phone != (before.phone or "").strip():
        phone = _number(phone, patient)
    elif before.phone:
        phone = before.phone
    if before is not None and email == (before.email or "").strip():
        email = before.email or ""
    elif email:
        _check_email(email)
    if data.language and not LANGUAGE.fullmatch(data.language):
        raise InputRefused("A language is a code like en or sw.", "language_unknown", field="language")
    return {
        "name": name,
        "relationship": data.relationship.strip() or None,
        "phone": phone,
        "email": email or None,
        "language": data.language,
        "note": data.note.strip() or None,
    }


def _number(phone: str, patient: Patient) -> str:
    try:
        return normalise_phone(phone, patient.organization.jurisdiction)
    except ValueError:
        raise InputRefused(
            "This is no phone number. Write it with its area code, or with + and the country code.",
            "phone_unreadable", field="phone",
        ) from None  # fmt: skip


def _check_email(email: str) -> None:
    try:
        normalise_email(email)
    except ValueError:
        raise InputRefused("This is no e-mail address.", "email_unreadable", field="email") from None
