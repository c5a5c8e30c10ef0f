"""Notes, process notes in a table of their own, their earlier texts and addenda, and text blocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from cortex.crypto.fields import SealedJSONField, SealedTextField
from cortex.ids import uuid7
from cortex.records import AppendedRecord, OrgRecord
from patients.bounds import known_labels, one_of, sensitivity_field, source_keys

PROCESS = "psychotherapy"
ADDENDUM = "addendum"
# No page saved it.
NO_SPELL = UUID(int=0)
# Notes with an assessment say which diagnoses it is about (domain 6.2).
ASSESSED = ("soap", "progress", "crisis")


class NoteType(models.TextChoices):
    """Domain 6.2; process notes are of none of these types, they have their own table."""

    SOAP = "soap", "SOAP"
    PROGRESS = "progress", "Progress"
    CRISIS = "crisis", "Crisis"
    SESSION = "session_note", "Session note"
    SUPERVISION = "supervision", "Supervision"


class NoteStatus(models.TextChoices):
    """Where a note stands; what comes after signing are addenda."""

    DRAFT = "draft", "Draft"
    SIGNED = "signed", "Signed"
    DISCARDED = "discarded", "Discarded"


class VersionKind(models.TextChoices):
    """Why a text was kept beside the note."""

    SPELL = "spell", "Before another spell of writing"
    CONFLICT = "conflict", "Written elsewhere at the same time"


def person_of_staff(**more: Any) -> models.ForeignKey[Any, Any]:
    """A member of staff whose name stands under a text."""
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", **more)


def added_text(table: str) -> models.ForeignKey[Any, Any]:
    """The addendum that a text belongs to, else the note itself; the index of the note finds both."""
    return models.ForeignKey(table, models.PROTECT, null=True, related_name="versions", db_index=False)


class WrittenQuerySet(models.QuerySet[Any]):
    """Words for notes of either table."""

    def drafts(self) -> WrittenQuerySet:
        """Keep those that nobody signed."""
        return self.filter(status=NoteStatus.DRAFT)

    def signed(self) -> WrittenQuerySet:
        """Keep those that were signed."""
        return self.filter(status=NoteStatus.SIGNED)

    def of(self, author_id: UUID) -> WrittenQuerySet:
        """Keep one author's own."""
        return self.filter(author_id=author_id)


class Drafted(OrgRecord):
    """A draft that is saved as it is written, until it is signed.

    A save names the version that it was made from, and its spell: one open page of one device, whose saves
    are numbered, so that one that arrives twice or late is told from one of somewhere else.
    """

    version = models.PositiveIntegerField(default=1)
    spell = models.UUIDField(default=uuid7, help_text="The page that saved last.")
    spell_number = models.PositiveIntegerField(default=0, help_text="Its newest save.")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Written(Drafted):
    """What every note has: an author, a draft that is saved as it is written, and a signature."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey("patients.Session", models.PROTECT, null=True, related_name="+")
    author = person_of_staff(db_index=False)
    status = models.CharField(max_length=12, choices=NoteStatus, default=NoteStatus.DRAFT)
    occurred_at = models.DateTimeField(help_text="When the contact was that the note is about.")
    free_text = SealedTextField(null=True, blank=True)
    saved_at = models.DateTimeField()
    sensitivity_labels = sensitivity_field()
    content_hash = models.BinaryField(
        null=True,
        max_length=34,
        help_text="Key version and HMAC of what was signed, by the person's own key.",
    )

    objects = WrittenQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written in."""
        return self.status == NoteStatus.DRAFT


def standing(name: str) -> list[models.BaseConstraint]:
    """The constraints of every note: a known status, and a signature exactly where it says so."""
    signed = Q(status=NoteStatus.SIGNED, signed_at__isnull=False, content_hash__isnull=False)
    unsigned = ~Q(status=NoteStatus.SIGNED) & Q(signed_at__isnull=True, content_hash__isnull=True)
    return [
        one_of("status", NoteStatus.values, f"{name}_status_known"),
        models.CheckConstraint(condition=signed | unsigned, name=f"{name}_signed_is_hashed"),
        known_labels(f"{name}_labels_known"),
    ]


def cosigned(name: str) -> list[models.BaseConstraint]:
    """The constraints of what a supervisor signs too: once it is signed, and never its author."""
    none = Q(cosigned_at__isnull=True, cosigned_by__isnull=True)
    both = Q(cosigned_at__isnull=False, cosigned_by__isnull=False, signed_at__isnull=False)
    other = Q(cosigned_by__isnull=True) | ~Q(cosigned_by=F("author"))
    return [
        models.CheckConstraint(condition=none | both, name=f"{name}_cosigned_when_signed"),
        models.CheckConstraint(condition=other, name=f"{name}_cosigned_by_another"),
    ]


class Note(Written):
    """A note of the record; once signed only a co-signature and its labels change."""

    note_type = models.CharField(max_length=16, choices=NoteType)
    subjective = SealedTextField(null=True, blank=True)
    objective = SealedTextField(null=True, blank=True)
    assessment = SealedTextField(null=True, blank=True)
    risk_statement = SealedTextField(null=True, blank=True)
    plan = SealedTextField(null=True, blank=True)
    follow_up_on = models.DateField(null=True)
    diagnoses = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="What it is about: diagnoses of its person."
    )
    level_at_signing = models.CharField(max_length=12, blank=True)
    needs_cosign = models.BooleanField(default=False, help_text="Its author is a trainee.")
    cosigned_by = person_of_staff(null=True)
    cosigned_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-occurred_at"]
        constraints = [
            *standing("note"),
            one_of("note_type", NoteType.values, "note_type_known"),
            models.CheckConstraint(
                condition=~Q(sensitivity_labels__contains=["PSYTHPN"]), name="note_is_no_process_note"
            ),
            *cosigned("note"),
            models.CheckConstraint(
                condition=Q(diagnoses=[]) | Q(note_type__in=ASSESSED), name="note_diagnoses_where_assessed"
            ),
            *source_keys("note", "source000.sessions", "source003.Session"),
        ]
        indexes = [
            models.Index(fields=["patient", "-occurred_at"], name="note_patient"),
            models.Index(fields=["author", "created_at"], condition=Q(status="draft"), name="note_unsigned"),
            models.Index(
                fields=["organization", "signed_at"], name="note_to_cosign",
                condition=Q(needs_cosign=True, cosigned_at__isnull=True),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def waits_for_cosign(self) -> bool:
        """Whether a supervisor's signature is missing."""
        return self.needs_cosign and self.signed_at is not None and self.cosigned_at is None


class PsychotherapyNote(Written):
    """A process note: nobody but its author ever opens it."""

    class Meta:
        ordering = ["-occurred_at"]
        verbose_name = "psychotherapy note"
        constraints = [
            *standing("process"),
            models.CheckConstraint(
                condition=Q(sensitivity_labels__contains=["PSYTHPN"]), name="process_is_labelled"
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-occurred_at"], name="process_patient"),
            models.Index(fields=["author", "-occurred_at"], name="process_author"),
        ]

    def __str__(self) -> str:
        return f"process note {self.pk}"

    note_type = PROCESS
    waits_for_cosign = False
    needs_cosign = False

    def get_note_type_display(self) -> str:
        """Return the name of its type, as the other table's rows do."""
        return "Psychotherapy"


class Version(AppendedRecord):
    """A text that a note or an addendum held, or that was written elsewhere meanwhile; written once."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="The note's version that it was, or was made from.")
    kind = models.CharField(max_length=12, choices=VersionKind)
    sections = SealedJSONField(help_text="{field: text}")
    content_hash = models.BinaryField(max_length=34)
    saved_at = models.DateTimeField()
    saved_by = person_of_staff()

    class Meta:
        abstract = True


class NoteVersion(Version):
    """An earlier or a parallel text of a note, or of an addendum to it."""

    note = models.ForeignKey(Note, models.PROTECT, related_name="versions")
    addendum = added_text("NoteAddendum")

    class Meta:
        ordering = ["-saved_at"]
        constraints = [one_of("kind", VersionKind.values, "note_version_kind")]

    def __str__(self) -> str:
        return f"version {self.pk}"


class PsychotherapyNoteVersion(Version):
    """An earlier or a parallel text of a process note, or of an addendum to it."""

    note = models.ForeignKey(PsychotherapyNote, models.PROTECT, related_name="versions")
    addendum = added_text("PsychotherapyNoteAddendum")

    class Meta:
        ordering = ["-saved_at"]
        verbose_name = "psychotherapy note version"
        constraints = [one_of("kind", VersionKind.values, "process_version_kind")]

    def __str__(self) -> str:
        return f"version {self.pk}"


class Addendum(Drafted):
    """What is added to a signed note; saved as it is written, then signed, then never changed.

    What a save names came later than the table, so the database fills it for a process of the version before.
    """

    version = models.PositiveIntegerField(default=1, db_default=1)
    spell = models.UUIDField(default=uuid7, db_default=NO_SPELL, help_text="The page that saved last.")
    spell_number = models.PositiveIntegerField(default=0, db_default=0, help_text="Its newest save.")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    author = person_of_staff()
    text = SealedTextField(null=True, help_text="Empty: what was typed was taken out again.")
    content_hash = models.BinaryField(null=True, max_length=34)

    class Meta:
        abstract = True

    note_type = ADDENDUM

    @property
    def is_draft(self) -> bool:
        """Whether it can still be written in."""
        return self.signed_at is None

    @property
    def saved_at(self) -> datetime:
        """When it was saved last; only a save and the signature change its row."""
        return self.updated_at


def added(name: str) -> list[models.BaseConstraint]:
    """The constraints of every addendum."""
    both = Q(signed_at__isnull=True, content_hash__isnull=True) | Q(
        signed_at__isnull=False, content_hash__isnull=False
    )
    one = models.UniqueConstraint(
        fields=["note", "author"], condition=Q(signed_at__isnull=True), name=f"{name}_one_unsigned"
    )
    says = Q(signed_at__isnull=True) | Q(text__isnull=False)
    return [
        models.CheckConstraint(condition=both, name=f"{name}_signed_is_hashed"),
        models.CheckConstraint(condition=says, name=f"{name}_signed_says_something"),
        one,
    ]


class NoteAddendum(Addendum):
    """An addendum to a note; a trainee's waits for a co-signature, as their notes do."""

    note = models.ForeignKey(Note, models.PROTECT, related_name="addenda")
    needs_cosign = models.BooleanField(
        default=False, db_default=False, help_text="Its author was a trainee when they signed it."
    )
    cosigned_by = person_of_staff(null=True, db_index=False)
    cosigned_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name_plural = "note addenda"
        constraints = [*added("addendum"), *cosigned("addendum")]
        indexes = [
            models.Index(
                fields=["organization", "signed_at"], name="addendum_to_cosign",
                condition=Q(needs_cosign=True, cosigned_at__isnull=True),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"addendum {self.pk}"

    @property
    def waits_for_cosign(self) -> bool:
        """Whether a supervisor's signature is missing."""
        return self.needs_cosign and self.signed_at is not None and self.cosigned_at is None


def added_to_cosign(user_id: UUID) -> Exists:
    """Of a note: whether a trainee's addendum waits for a co-signature, or somebody co-signed one."""
    rows = NoteAddendum.objects.filter(note=OuterRef("pk"), needs_cosign=True, signed_at__isnull=False)
    return Exists(rows.filter(Q(cosigned_at__isnull=True) | Q(cosigned_by_id=user_id)))


class PsychotherapyNoteAddendum(Addendum):
    """An addendum to a process note."""

    note = models.ForeignKey(PsychotherapyNote, models.PROTECT, related_name="addenda")

    class Meta:
        ordering = ["created_at"]
        verbose_name = "psychotherapy note addendum"
        verbose_name_plural = "psychotherapy note addenda"
        constraints = added("process_addendum")

    def __str__(self) -> str:
        return f"addendum {self.pk}"

    waits_for_cosign = False


class TextBlock(OrgRecord):
    """A template of a note's sections or a quick phrase; without an owner it is the organization's."""

    sealed_subject = "organization_id"

    owner = person_of_staff(null=True, blank=True)
    title = models.CharField(max_length=60)
    note_type = models.CharField(
        max_length=16, choices=NoteType, blank=True, help_text="Which notes begin with it; empty: a phrase."
    )
    sections = SealedJSONField(help_text="{field: text}; a phrase has its text under `text`.")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["title"]
        verbose_name = "text block"
        constraints = [one_of("note_type", ["", *NoteType.values], "text_block_type_known")]
        indexes = [models.Index(fields=["organization", "owner"], name="text_block_owner")]

    def __str__(self) -> str:
        return self.title
