"""Reads of notes: each asks whose chart is open, who wrote it, and what its labels shut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from clinical.assessments import queries as measures
from clinical.assessments.episodes import episode_of
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment
from clinical.notes.labels import closed_diagnoses, open_to, open_to_team
from clinical.notes.models import (
    PROCESS,
    Addendum,
    Note,
    NoteAddendum,
    NoteStatus,
    PsychotherapyNote,
    PsychotherapyNoteAddendum,
    TextBlock,
)
from clinical.notes.prefill import about, measure_lines, of_visit
from clinical.notes.rules import missing
from clinical.notes.wording import names_of
from clinical.sessions.labels import reach
from cortex.access.context import AccessContext
from cortex.accounts.models import User
from cortex.audit import Actor, NotFound
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from patients.care.queries import supervised_by, treated_ids
from patients.codes import ConsentType
from patients.labels.queries import standing
from patients.labels.rules import closed_to
from patients.privacy.queries import consent_state
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import persons_of, rows_of
from patients.sessions.models import Session

AnyNote: TypeAlias = Note | PsychotherapyNote
AnyAddendum: TypeAlias = NoteAddendum | PsychotherapyNoteAddendum
AnyDraft: TypeAlias = AnyNote | AnyAddendum
TABLES: tuple[type[AnyNote], ...] = (Note, PsychotherapyNote)
WITH = ("author", "session")
MOST = 200
SIGNED = Q(addenda__signed_at__isnull=False)
TO_COSIGN = {"needs_cosign": True, "signed_at__isnull": False, "cosigned_at__isnull": True}
ADDED_WAITS = Q(**{f"addenda__{name}": value for name, value in TO_COSIGN.items()})


def absent() -> NotFound:
    """Return what is raised of whatever isn't there, or not open."""
    return NotFound("This does not exist, or it is not open to you.", "not_found")


@dataclass(slots=True)
class Reader:
    """Whose notes of which person somebody may read."""

    user: User
    patient: Patient
    ids: list[UUID]
    condition: Q
    cosigns: bool
    relation: str
    part2: bool

    @property
    def closed(self) -> frozenset[str]:
        """The labels that shut a note to them, unless they wrote it."""
        return closed_to(self.relation, part2=self.part2)

    @property
    def shut(self) -> frozenset[str]:
        """The labels that shut a diagnosis to them, unless they recorded it."""
        return closed_diagnoses(self.relation, part2=self.part2)


def reader(actor: Actor, patient_id: UUID, at: datetime) -> Reader:
    """Return what is open to somebody of one person's notes; NotFound unless they treat them."""
    patient = access.treated(actor, patient_id, at)
    return reader_by(actor.person, patient, standing(actor.person, patient, at), at)


def reader_by(user: User, patient: Patient, stands: tuple[str, bool], at: datetime) -> Reader:
    """Return the same for somebody of whom it is known how they stand to the person's labels."""
    relation, part2 = stands
    ids = rows_of(patient)
    cosigns = bool(supervised_by(user, at, ids))
    condition = open_to(user.pk, relation, part2=part2, cosigns=cosigns)
    return Reader(user, patient, ids, condition, cosigns, relation, part2)


@dataclass(slots=True)
class Listed:
    """A person's notes as their list shows them; nothing is opened."""

    notes: list[AnyNote]
    withheld: int
    is_cut: bool


def listed(who: Reader, kind: str = "") -> Listed:
    """Return a person's notes, unsigned first; of others none that a label shuts, and no process note.

    Others' drafts are named by author and day alone, and `withheld` counts what labels shut.
    """
    rows: Any = Note.objects.filter(patient_id__in=who.ids)
    if kind:
        rows = rows.filter(note_type=kind)
    rows = rows.filter(Q(author=who.user) | ~Q(status=NoteStatus.DISCARDED))
    open_rows = rows.filter(who.condition)
    found: list[AnyNote] = list(_counted(open_rows)[: MOST + 1]) if kind != PROCESS else []
    withheld = rows.count() - open_rows.count() if kind != PROCESS else 0
    if kind in ("", PROCESS):
        found += _counted(PsychotherapyNote.objects.of(who.user.pk).filter(patient_id__in=who.ids))[:MOST]
    found.sort(key=lambda one: one.occurred_at, reverse=True)
    found.sort(key=lambda one: (not one.is_draft, one.status == NoteStatus.DISCARDED))
    return Listed(found[:MOST], withheld, len(found) > MOST)


def _counted(rows: Any) -> Any:
    rows = rows.select_related("author").annotate(added=Count("addenda", filter=SIGNED))
    if rows.model is Note:
        rows = rows.annotate(added_waits=Count("addenda", filter=ADDED_WAITS))
    return rows.order_by("-occurred_at")


def note(who: Reader, note_id: UUID) -> AnyNote:
    """Return a note that somebody may read: a draft its author alone; NotFound for every other."""
    found = _of_either(note_id, who)
    if found is None or (found.author_id != who.user.pk and found.signed_at is None):
        raise absent()
    return found


def about_diagnosis(who: Reader, diagnosis_id: UUID) -> tuple[list[Note], int]:
    """Return the notes about a diagnosis, others' drafts left out, newest first; and how many labels shut."""
    rows = Note.objects.filter(patient_id__in=who.ids, diagnoses__contains=[diagnosis_id])
    rows = rows.filter(Q(author=who.user) | Q(signed_at__isnull=False)).exclude(status=NoteStatus.DISCARDED)
    found = rows.filter(who.condition).select_related("author").order_by("-occurred_at")
    return list(found[:MOST]), rows.count() - rows.filter(who.condition).count()


def of_session(who: Reader, session_id: UUID) -> list[AnyNote]:
    """Return the notes about a session, newest first, one's own drafts and process notes with them.

    Of others what is signed and no label shuts; two queries, nothing is opened.
    """
    rows = Note.objects.filter(session_id=session_id, patient_id__in=who.ids).filter(who.condition)
    rows = rows.filter(Q(author=who.user) | Q(signed_at__isnull=False)).exclude(status=NoteStatus.DISCARDED)
    own = PsychotherapyNote.objects.of(who.user.pk).filter(session_id=session_id, patient_id__in=who.ids)
    found: list[AnyNote] = list(rows.select_related("author").order_by("-occurred_at")[:MOST])
    found += own.exclude(status=NoteStatus.DISCARDED).select_related("author").order_by("-occurred_at")[:MOST]
    return found


def _of_either(note_id: UUID, who: Reader) -> AnyNote | None:
    found: list[Any] = _open_note(note_id, who.ids, who.user.pk, who.relation, who.part2, who.cosigns)
    return next(iter(found or _own_process_note(note_id, who.ids, who.user.pk)), None)


@kept
def _open_note(
    note_id: UUID, ids: list[UUID], user_id: UUID, relation: str, part2: bool, cosigns: bool
) -> QuerySet[Note]:
    condition = open_to(user_id, relation, part2=part2, cosigns=cosigns)
    rows = Note.objects.filter(pk=note_id, patient_id__in=ids).filter(condition)
    return rows.select_related(*WITH, "cosigned_by")


@kept
def _own_process_note(note_id: UUID, ids: list[UUID], user_id: UUID) -> QuerySet[PsychotherapyNote]:
    rows = PsychotherapyNote.objects.of(user_id).filter(pk=note_id, patient_id__in=ids)
    return rows.select_related(*WITH)


def own_drafts(user: User, ids: list[UUID]) -> list[AnyNote]:
    """Return somebody's own unsigned notes of a person, process notes too; nothing is opened; two queries."""
    found: list[AnyNote] = [*_drafts(user.pk, ids), *_process_drafts(user.pk, ids)]
    return sorted(found, key=lambda one: one.created_at)


@kept
def _drafts(user_id: UUID, ids: list[UUID]) -> QuerySet[Note]:
    return Note.objects.filter(author_id=user_id, patient_id__in=ids, status=NoteStatus.DRAFT)


@kept
def _process_drafts(user_id: UUID, ids: list[UUID]) -> QuerySet[PsychotherapyNote]:
    return PsychotherapyNote.objects.of(user_id).filter(patient_id__in=ids, status=NoteStatus.DRAFT)


def locked_own(actor: Actor, note_id: UUID, ids: list[UUID]) -> AnyNote:
    """Lock and return a note of the actor's own; NotFound for every other's."""
    for table in TABLES:
        rows: Any = table.objects.select_for_update(of=("self",)).filter(pk=note_id, patient_id__in=ids)
        found: AnyNote | None = rows.filter(author_id=actor.person.pk).first()
        if found is not None:
            return found
    raise absent()


def locked_signed(who: Reader, note_id: UUID) -> AnyNote:
    """Lock and return a signed note that somebody may read; NotFound for every other."""
    for table in TABLES:
        shown = who.condition if table is Note else Q(author=who.user)
        rows: Any = table.objects.select_for_update(of=("self",)).filter(pk=note_id, patient_id__in=who.ids)
        found: AnyNote | None = rows.filter(shown, signed_at__isnull=False).first()
        if found is not None:
            return found
    raise absent()


def session_of(actor: Actor, patient: Patient, session_id: UUID, at: datetime) -> Session:
    """Return one session of a person that labels leave open to somebody; NotFound for any other."""
    rows = Session.objects.filter(pk=session_id, patient_id__in=rows_of(patient))
    found = rows.filter(reach(actor, patient, at).sessions()).first()
    if found is None:
        raise absent()
    return found


def opened(context: AccessContext, row: AnyDraft) -> dict[str, str]:
    """Open the own sections of a note or an addendum for a look, by name."""
    names = names_of(row.note_type)
    context.open([row], names)
    return {name: getattr(row, name) or "" for name in names}


def beside(row: AnyDraft) -> Any:
    """Return the texts that are kept beside a note, or beside one of its addenda, newest first."""
    table: Any = row.versions.model  # type: ignore[union-attr]
    if isinstance(row, Addendum):
        rows = table.objects.filter(note=row.note_id, addendum=row)
    else:
        rows = table.objects.filter(note=row, addendum=None)
    return rows.select_related("saved_by").order_by("-saved_at", "-pk")


def versions_of(row: AnyNote) -> list[Any]:
    """Return the texts that are kept beside a note, newest first."""
    return list(beside(row)[:MOST])


@dataclass(slots=True)
class Desk:
    """What waits for one person's signature; nothing is opened."""

    own: list[AnyNote] = field(default_factory=list)
    addenda: list[AnyAddendum] = field(default_factory=list)
    to_cosign: list[Note] = field(default_factory=list)
    added_to_cosign: list[NoteAddendum] = field(default_factory=list)

    @property
    def people(self) -> list[Patient]:
        """Return whose notes these are."""
        added = (one.note for one in [*self.addenda, *self.added_to_cosign])
        notes = [*self.own, *added, *self.to_cosign]
        return list({one.patient_id: one.patient for one in notes}.values())


def desk(actor: Actor, at: datetime) -> Desk:
    """Return one's own unsigned notes and addenda, the oldest first, and trainees' of both that wait for one.

    Only of people whose chart is open: somebody who left a team finds nothing of theirs here.
    """
    user = actor.person
    found = Desk()
    for table in TABLES:
        rows: Any = table.objects.drafts().of(user.pk)
        found.own += rows.select_related("patient__organization", "author")[:MOST]
    for kind in (NoteAddendum, PsychotherapyNoteAddendum):
        unsigned: Any = kind.objects.filter(author=user, signed_at__isnull=True, text__isnull=False)
        found.addenda += unsigned.select_related("note__patient__organization", "note__author")[:MOST]
    supervised = list(persons_of(supervised_by(user, at)))
    waiting = Note.objects.filter(**TO_COSIGN, patient_id__in=supervised).exclude(author=user)
    waiting = waiting.order_by("signed_at")
    found.to_cosign += waiting.select_related("patient__organization", "author")[:MOST]
    added = NoteAddendum.objects.filter(**TO_COSIGN, patient_id__in=supervised).exclude(author=user)
    added = added.select_related("note__patient__organization", "note__author", "author")
    found.added_to_cosign += added.order_by("signed_at")[:MOST]
    return _open_only(actor, found, at)


def _open_only(actor: Actor, found: Desk, at: datetime) -> Desk:
    people = {one.pk for one in found.people}
    shown = access.patients_related(actor.person, people, at, access.CHART)
    found.own = sorted((one for one in found.own if one.patient_id in shown), key=lambda one: one.created_at)
    found.addenda = [one for one in found.addenda if one.patient_id in shown]
    found.to_cosign = [one for one in found.to_cosign if one.patient_id in shown]
    found.added_to_cosign = [one for one in found.added_to_cosign if one.patient_id in shown]
    return found


def blocks(user: User, note_type: str | None = None) -> list[TextBlock]:
    """Return one's own and the organization's text blocks; of one type (`""`: phrases) when it is named."""
    rows = TextBlock.objects.filter(organization_id=user.organization_id, retired_at__isnull=True)
    rows = rows.filter(Q(owner=user) | Q(owner__isnull=True))
    if note_type is not None:
        rows = rows.filter(note_type=note_type)
    return list(rows.select_related("owner").order_by("title"))


def locked_block(user: User, block_id: UUID) -> TextBlock:
    """Lock and return a text block that somebody sees; NotFound for every other."""
    rows: Any = TextBlock.objects.select_for_update(of=("self",)).filter(
        organization_id=user.organization_id, retired_at__isnull=True
    )
    found: TextBlock | None = rows.filter(Q(owner=user) | Q(owner__isnull=True), pk=block_id).first()
    if found is None:
        raise absent()
    return found


def since(row: AnyNote, at: datetime) -> timedelta:
    """Return how long a note has waited for its signature."""
    return at - row.created_at


def facts(who: Patient, occurred_at: datetime, at: datetime) -> list[str]:
    """Return the lines of the measures around a contact."""
    ids = rows_of(who)
    done, offered = measures.standing(ids, at - measures.LOOK_BACK), offers.instruments(who.organization_id)
    found = measures.courses(done, offered, episode_of(ids, at)).values()
    return measure_lines(found, occurred_at, who.zone())


def visit(who: Reader, row: AnyNote, text: str) -> list[Assessment]:
    """Return the measures of a note's contact: within its session, or said in its text; one query."""
    (start, end), session = about(row.occurred_at), row.session
    if session is not None:
        start, end = min(start, session.started_at), max(end, session.ended_at or end)
    found = measures.around(who.ids, start, end, session.pk if session else None)
    return of_visit(found, session, text, who.patient.zone())


def missing_of(
    row: AnyNote, texts: Mapping[str, str], level: str, zone: str, at: datetime
) -> list[tuple[str, str]]:
    """Return what keeps a note from being signed; its day is the person's own."""
    return missing(
        row.note_type, texts, level=level, follow_up_on=row.follow_up_on if isinstance(row, Note) else None,
        occurred_on=row.occurred_at.astimezone(zone_of(zone)).date(), is_ahead=row.occurred_at > at,
    )  # fmt: skip


class Cut(NamedTuple):
    """Where a search broke off, by the note that it looked at last: many are of the same minute."""

    at: datetime
    note_id: UUID


def searchable(
    actor: Actor, at: datetime, patient_id: UUID | None, after: Cut | None, limit: int
) -> list[AnyNote]:
    """Return the newest notes that a search may open: of one's caseload, or of one open chart.

    The newest come first, of one moment those that were begun last. `after` is where to go on.
    """
    user = actor.person
    if patient_id is not None:
        who = reader(actor, patient_id, at)
        ids, shown = set(who.ids), who.condition
    else:
        # A place on any row is one with the person: what lies under their other rows is theirs, too.
        persons = persons_of(treated_ids(user, at))
        agreed = consent_state(set(persons.values()), [ConsentType.PART2_TPO], at)
        ids = set(persons)
        shown = open_to_team(user.pk, {pk for pk in ids if agreed[persons[pk], ConsentType.PART2_TPO]})
    shown &= Q(author=user) | Q(signed_at__isnull=False)
    found: list[AnyNote] = []
    for table, condition in ((Note, shown), (PsychotherapyNote, Q(author=user))):
        rows: Any = table.objects.filter(patient_id__in=ids).exclude(status=NoteStatus.DISCARDED)
        if after is not None:
            older = Q(occurred_at__lt=after.at) | Q(pk__lt=after.note_id)
            rows = rows.filter(older, occurred_at__lte=after.at)
        rows = rows.filter(condition).select_related("patient__organization", "author")
        found += rows.order_by("-occurred_at", "-pk")[:limit]
    return sorted(found, key=lambda one: (one.occurred_at, one.pk), reverse=True)
