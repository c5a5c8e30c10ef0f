"""Instruments and their texts by version, answers under way, and administrations, which are written once."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinical.assessments.definitions import Definition, course_key, read
from cortex.records import AppendedRecord, OrgRecord, Record
from patients.bounds import one_of, source_keys


class Mode(models.TextChoices):
    """How the answers were given."""

    SELF = "self", "By the person"
    INTERVIEWER = "interviewer", "Asked by staff"
    PHONE = "phone", "Asked by telephone"
    PAPER = "paper", "Entered from paper"


class Instrument(Record):
    """One version of an instrument as data; responses stay pinned to it, so a version is never edited."""

    key = models.CharField(max_length=16)
    version = models.CharField(max_length=16)
    title = models.CharField(max_length=64)
    definition = models.JSONField()
    licence = models.CharField(max_length=240, blank=True)
    credit = models.CharField(max_length=240, blank=True)
    is_enabled = models.BooleanField(
        default=False, help_text="Whether it is offered; needs a text to be asked."
    )

    class Meta:
        ordering = ["key", "version"]
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="instrument_version_once"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(is_enabled=True), name="instrument_one_version_enabled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"

    # The ids of its later form; filled where instruments are read for a list.
    forms: tuple[UUID, ...] = ()

    @property
    def course_key(self) -> str:
        """Return the key of the measure that it is a form of: its own, but for a form asked later."""
        return course_key(self.key)

    @property
    def with_forms(self) -> tuple[UUID, ...]:
        """Return its id and those of its forms."""
        return (self.pk, *self.forms)

    def read(self) -> Definition:
        """Return the definition; read once for each loaded row, since a page asks it for every person."""
        return self._read

    @cached_property
    def _read(self) -> Definition:
        return read(self.definition)


class InstrumentText(Record):
    """The wording of one version in one language, loaded from a file of the operator's or of the package."""

    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="texts")
    language = models.CharField(max_length=16)
    texts = models.JSONField(help_text="{stem, items: {key: text}, answers: {value: text}, item_answers}")
    source = models.CharField(max_length=240, blank=True)
    notice = models.TextField(blank=True, help_text="Stands under every rendering.")

    class Meta:
        ordering = ["instrument", "language"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "language"], name="instrument_text_once")
        ]

    def __str__(self) -> str:
        return f"{self.instrument} in {self.language}"


class AssessmentDraft(OrgRecord):
    """Answers that are being given, saved one by one; it goes when it is finished or given up."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    language = models.CharField(max_length=16)
    mode = models.CharField(max_length=12, choices=Mode)
    items = models.JSONField(default=dict, help_text="{key: value}")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "instrument"], name="draft_once_per_instrument")
        ]

    def __str__(self) -> str:
        return f"answers under way, {self.instrument_id}"


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    """Words for administrations."""

    def standing(self) -> AssessmentQuerySet:
        """Leave out those that a correction stands for."""
        return self.filter(superseded_by__isnull=True)

    def valid(self) -> AssessmentQuerySet:
        """Keep those with a total."""
        return self.filter(is_valid=True)


class Assessment(AppendedRecord):
    """One administration, scored by the server; a wrong one is corrected by another that supersedes it."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="assessments", db_index=False
    )
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="assessments", db_index=False)
    language = models.CharField(max_length=16)
    mode = models.CharField(max_length=12, choices=Mode)
    administered_at = models.DateTimeField()
    items = models.JSONField(help_text="{key: value or null}")
    total = models.PositiveSmallIntegerField(null=True)
    band = models.CharField(max_length=24, blank=True)
    prorated = models.BooleanField(default=False)
    is_valid = models.BooleanField()
    flags = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    scored_by_version = models.CharField(max_length=16)
    administered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    session = models.ForeignKey("patients.Session", models.PROTECT, null=True, related_name="+")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")
    legacy_ids = models.JSONField(default=dict, blank=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["-administered_at"]
        constraints = [
            one_of("mode", Mode.values, "assessment_mode_known"),
            models.CheckConstraint(
                condition=Q(is_valid=False) | Q(total__isnull=False), name="assessment_valid_has_total"
            ),
            *source_keys("assessment", "source000.assessments", "source003.TreatmentPlan"),
        ]
        indexes = [
            models.Index(fields=["patient", "-administered_at"], name="assessment_patient"),
            models.Index(fields=["instrument", "-administered_at"], name="assessment_instrument"),
            # The ends of a course: its first and its last.
            models.Index(fields=["patient", "instrument", "administered_at", "id"], name="assessment_course"),
        ]

    def __str__(self) -> str:
        return f"administration {self.pk}"
