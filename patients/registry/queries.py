"""Reads about people, shaped for pages and doors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from cortex.access.context import AccessContext
from cortex.access.unreadable import UNREADABLE, readable
from cortex.accounts.models import Organization
from cortex.audit import NotFound
from cortex.crypto.blind import blind_indexes, normalise_email, normalise_phone
from cortex.ops.postgres.questions import Word, kept
from cortex.ui.zone import zone_of
from patients.codes import MINOR_BANDS
from patients.contacts.queries import ContactCard, contact_cards, on_record, open_until
from patients.privacy.queries import consent_state
from patients.registry.builders import EMAIL, PHONE, today_of
from patients.registry.models import Patient, PatientQuerySet
from patients.registry.person import LastLocation
from patients.registry.records import RegisterPatient, band_of

# How often a row may be linked anew while one transaction waits for it; it happens once in a row's life.
LINKED_MEANWHILE = 3


# Columns of a person that no list shows; each is a sealed value or a digest of one.
UNLISTED = (
    "sex", "gender", "email", "email_hash", "phone", "phone_hash", "date_of_birth", "home_address",
    "usual_places", "mrn", "mrn_hash", "risk_notes",
)  # fmt: skip


def patients() -> PatientQuerySet:
    """Return every patient row; callers narrow it by `visible_to` or by their organization at once."""
    return Patient.objects.all()


def patient(patient_id: UUID) -> Patient | None:
    """Return one row, or None; the caller has asked the predicate."""
    return next(iter(_patient(patient_id)), None)


@kept
def _patient(patient_id: UUID) -> QuerySet[Patient]:
    return Patient.objects.select_related("organization").filter(pk=patient_id)


def by_pseudonyms(organization_id: UUID, pseudonyms: Iterable[str]) -> dict[str, Patient]:
    """Return the organization's rows by pseudonym, in one query; unknown and erased ones are absent."""
    return {row.anonymous_id: row for row in _by_pseudonyms(organization_id, [*map(Word, pseudonyms)])}


@kept
def _by_pseudonyms(organization_id: UUID, pseudonyms: list[Word]) -> QuerySet[Patient]:
    rows = Patient.objects.filter(organization_id=organization_id, anonymous_id__among=pseudonyms)
    return rows.exclude(status="deleted").order_by().select_related("organization")


def rows_of(patient: Patient) -> list[UUID]:
    """Return the ids of every row of a person: what was filed under one that was linked belongs to them."""
    return _rows_of(patient.pk)


@kept
def _rows_of(patient_id: UUID) -> QuerySet[Patient, UUID]:
    return Patient.objects.same_person(patient_id).values_list("pk", flat=True)


def persons_of(patient_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return every row of the people whom these rows belong to, with whose it is on record; one query."""
    return dict(_persons_of(list(patient_ids))) if patient_ids else {}


@kept
def _persons_of(patient_ids: list[UUID]) -> QuerySet[Patient, Any]:
    people = Patient.objects.filter(pk__in=patient_ids).values("person_id")
    return Patient.objects.filter(person_id__in=people).order_by().values_list("pk", "person_id")


def linked_rows(people: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Return the rows that were linked to each of these rows on record that has any; one query.

    What was filed under them is that person's, as with `rows_of`. Most people have none.
    """
    found: dict[UUID, tuple[UUID, ...]] = {}
    for person_id, row in _linked_rows(list(people)):
        found[person_id] = (*found.get(person_id, ()), row)
    return found


@kept
def _linked_rows(people: list[UUID]) -> QuerySet[Patient, Any]:
    """By the pointer, not by the person: its index holds nobody but those who were linked."""
    return Patient.objects.filter(merged_into__in=people).order_by("pk").values_list("merged_into_id", "pk")


def names_of(patient_id: UUID) -> list[str]:
    """Return every pseudonym of the person that a row is of."""
    return list(Patient.objects.same_person(patient_id).values_list("anonymous_id", flat=True))


def listed(patient_ids: Iterable[UUID]) -> dict[UUID, Patient]:
    """Return people by id without what a list never shows; one query."""
    return {one.pk: one for one in _listed(list(patient_ids))}


@kept
def _listed(patient_ids: list[UUID]) -> QuerySet[Patient]:
    return Patient.objects.filter(pk__in=patient_ids).defer(*UNLISTED)


def locked(patient_ids: Iterable[UUID]) -> dict[UUID, Patient]:
    """Return the rows by id, locked in the order of their ids until the transaction ends."""
    return {row.pk: row for row in _locked(list(patient_ids))}


@kept
def _locked(patient_ids: list[UUID]) -> QuerySet[Patient]:
    return Patient.objects.select_for_update(no_key=True).filter(pk__in=patient_ids).order_by("pk")


def lock_person(patient_id: UUID) -> UUID:
    """Lock the row on record of the person whom a row belongs to, and return its id; NotFound without a row.

    One row stands for a person, however many were linked to it: its lock orders all that happens to them. A
    row that is linked while we wait for it drops out of the answer, and its person is asked for again.
    """
    for _ in range(LINKED_MEANWHILE):
        for found in _locked_record(patient_id):
            return found
    raise NotFound("There is no such person on record.", "patient_unknown")


@kept
def _locked_record(patient_id: UUID) -> QuerySet[Patient, UUID]:
    record = Patient.objects.filter(pk=patient_id).values("person_id")
    free = Patient.objects.select_for_update(no_key=True).filter(pk__in=record, merged_into__isnull=True)
    return free.order_by("pk").values_list("pk", flat=True)


def lock_with_record(patient_id: UUID) -> UUID:
    """Lock a row and the row on record of its person, in the order of their ids; return the latter's id.

    For what is filed under the row that it was asked of. NotFound without a row. A row that is linked while
    we wait for it is somebody else's then: that person's row is locked too.
    """
    for _ in range(LINKED_MEANWHILE):
        person_id = person_ids([patient_id]).get(patient_id)
        if person_id is None:
            break
        if locked({patient_id, person_id})[patient_id].person_id == person_id:
            return person_id
    raise NotFound


def lock_free_people(patient_ids: Any) -> set[UUID]:
    """Lock the rows on record of these persons that nobody else holds; return their ids, and wait for none.

    `patient_ids` may be a query of one column.
    """
    records = Patient.objects.filter(pk__in=patient_ids).values("person_id")
    free = Patient.objects.select_for_update(no_key=True, skip_locked=True)
    found = free.filter(pk__in=records, merged_into__isnull=True).order_by("pk")
    return set(found.values_list("pk", flat=True))


def found_by(organization: Organization, *, email: str = "", phone: str = "") -> PatientQuerySet:
    """Return the organization's rows with this e-mail or phone, found by blind index; several share a phone.

    Nobody when neither can be read. Rows of every index version are found while the index key rotates.
    """
    wanted = Q(pk__in=[])
    if email:
        wanted |= Q(email_hash__in=_indexes(normalise_email, email, EMAIL, organization))
    if phone:
        read = partial(normalise_phone, jurisdiction=organization.jurisdiction)
        wanted |= Q(phone_hash__in=_indexes(read, phone, PHONE, organization))
    return Patient.objects.filter(wanted, organization=organization).exclude(status="deleted")


def _indexes(read: Callable[[str], str], value: str, column: str, organization: Organization) -> list[bytes]:
    try:
        plain = read(value)
    except ValueError:
        return []
    return blind_indexes(plain, column=column, organization_id=organization.pk)


def existing(patient_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these ids that are people on record, so that the sweep of keys spares theirs."""
    return set(Patient.objects.filter(pk__in=set(patient_ids)).values_list("pk", flat=True))


def person_ids(patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the person behind each row: the row itself, or the one that it was merged into."""
    return dict(Patient.objects.filter(pk__in=set(patient_ids)).values_list("pk", "person_id"))


@dataclass(frozen=True, slots=True)
class PersonCard:
    """Who somebody is and how to reach them, opened for one look; missing parts are empty."""

    patient_id: UUID
    pseudonym: str
    name: str
    pronouns: str
    phone: str
    email: str
    age_band: str
    language: str
    timezone: str
    is_minor: bool
    is_provisional: bool
    home_address: str = ""
    usual_places: str = ""
    last_place: dict[str, Any] | None = None
    last_place_at: datetime | None = None
    contacts: list[ContactCard] = field(default_factory=list)
    emergency_contact_allowed: bool = False
    # Until when the contacts are open to this looker without consent, and how many stay closed to them.
    contacts_until: datetime | None = None
    contacts_closed: int = 0


NAMES = ("given_name", "middle_name", "family_name")
IDENTITY = (*NAMES, "pronouns", "phone", "email")


def person_card(
    ctx: AccessContext, patient: Patient, *, at: datetime, with_contacts: bool, with_places: bool = False
) -> PersonCard:
    """Open name and ways to reach a person; contacts also need the consent emergency_contact (K26).

    Or a documented exception of the looker's own, while it runs (domain 7.1). In the place of what doesn't
    open stands that it can't be read: it must not shut the page.

    `with_contacts` and `with_places` say what the looker's role and relationship allow; the look is noted in
    the context. A row that was merged into another shows the other's person.
    """
    person = patient if patient.merged_into_id is None else Patient.objects.get(pk=patient.merged_into_id)
    allowed = consent_state([person.pk], ["emergency_contact"], at)[person.pk, "emergency_contact"]
    ctx.open([person], IDENTITY + (("home_address", "usual_places") if with_places else ()))
    until = open_until(ctx.actor, person.pk, at) if with_contacts and not allowed else None
    section = "contacts_without_consent" if until else "contacts"
    opens = with_contacts and (allowed or until is not None)
    contacts = contact_cards(ctx, person.pk, section=section) if opens else []
    closed = on_record(person.pk).count() if with_contacts and not opens else 0
    place = _last_place(ctx, person, at) if with_places else None
    sections = ["identity", *([section] if contacts else []), *(["places"] if with_places else [])]
    ctx.saw(
        "person", subjects=[person.pk], object_type="patients.Patient", object_id=person.pk, sections=sections
    )
    return PersonCard(
        patient_id=person.pk,
        pseudonym=person.anonymous_id,
        name=full_name(person),
        pronouns=readable(person, "pronouns", UNREADABLE),
        phone=readable(person, "phone", UNREADABLE),
        email=readable(person, "email", UNREADABLE),
        age_band=person.get_age_band_display(),
        language=person.language,
        timezone=person.zone(),
        is_minor=person.is_minor,
        is_provisional=person.is_provisional,
        home_address=readable(person, "home_address", UNREADABLE) if with_places else "",
        usual_places=readable(person, "usual_places", UNREADABLE) if with_places else "",
        last_place=readable(place, "place", {"label": UNREADABLE}) or None if place else None,
        last_place_at=place.seen_at if place else None,
        contacts=contacts,
        emergency_contact_allowed=allowed,
        contacts_until=until,
        contacts_closed=closed,
    )


class Zoned(Protocol):
    """Whoever has a zone in which their days are counted: a person's row, or what a list holds of it."""

    def zone(self) -> str:
        """Return the IANA zone."""
        ...


def local_day(person: Zoned, at: datetime) -> date:
    """Return the day that it is where a person lives."""
    return at.astimezone(zone_of(person.zone())).date()


def registers_minor(data: RegisterPatient, organization_id: UUID, at: datetime) -> bool:
    """Whether a registration is of somebody under 18, as `register_patient` will have it; checks nothing."""
    organization = Organization.objects.filter(pk=organization_id).first()
    return organization is not None and (
        band_of(data.date_of_birth, today_of(data, organization, at)) in MINOR_BANDS
    )


def full_name(patient: Patient) -> str:
    """Return the opened name in the order given, middle, family; empty when none is on record.

    In the place of a part that doesn't open stands that it can't be read.
    """
    parts = (readable(patient, part, f"({UNREADABLE})") for part in NAMES)
    return " ".join(part for part in parts if part)


class Named(NamedTuple):
    """What a list calls a person: the name, and beside it the pseudonym, which nobody else has."""

    name: str
    pseudonym: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, self))


def named(patient: Patient) -> Named:
    """Return the opened name with the pseudonym; who has no name on record is called by the latter alone.

    Two people of one name are told apart by it wherever one of them is chosen or acted on.
    """
    name = full_name(patient)
    return Named(name, patient.anonymous_id) if name else Named(patient.anonymous_id)


def _last_place(ctx: AccessContext, patient: Patient, at: datetime) -> LastLocation | None:
    place = LastLocation.objects.current(at).filter(patient=patient).first()
    ctx.open([place] if place else [], ("place",))
    return place
