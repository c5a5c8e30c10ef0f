"""Tables of the risk feature: the lexicon, the evidence ledger, evaluations and evaluations that are due."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from cortex.records import AppendedRecord, OrgRecord, Record


class LevelChoice(models.TextChoices):
    """The engine's levels, the only ones that are stored (domain 1.5)."""

    LOW = "low", "low"
    MEDIUM = "medium", "medium"
    HIGH = "high", "high"
    CRITICAL = "critical", "critical"


class LevelSource(models.TextChoices):
    """What the level rests on (domain, conflict K31)."""

    SCORE = "score", "score"
    FLOOR = "floor", "hard rule"
    HELD = "held", "held"
    CLINICIAN = "clinician", "clinician"


class AssessmentSource(models.TextChoices):
    """Who made an evaluation."""

    ENGINE = "engine", "engine"
    CLINICIAN = "clinician", "clinician"
    INSTRUMENT = "instrument", "instrument"


class EvidenceDomain(models.TextChoices):
    """The domains of domain 4.1, and those that carry rules rather than a contribution."""

    TEXT = "text", "words"
    DISSONANCE = "dissonance", "voice against words"
    EMOTION = "emotion", "emotion"
    PHQ = "phq", "PHQ-9"
    CSSRS = "cssrs", "C-SSRS"
    TRAJECTORY = "trajectory", "trajectory"
    BASELINE = "baseline", "voice baseline"
    HISTORY = "history", "history"
    STRESSORS = "stressors", "situation"
    DISENGAGEMENT = "disengagement", "disengagement"
    STATE = "state", "current state"
    WARNING = "warning", "warning sign"
    PROTECTIVE = "protective", "protective"
    SOS = "sos", "SOS button"
    THIRD_PARTY = "third_party", "third party"
    OTHERS = "others", "harm to others"
    REVIEW = "review", "human decision"
    CONTEXT = "context", "context"


class FactorStatus(models.TextChoices):
    """Whether a coded factor is there."""

    PRESENT = "present", "present"
    ABSENT = "absent", "absent"
    UNKNOWN = "unknown", "unknown"


class Lexicon(Record):
    """One version of the phrase list; entries are data, and one version is active at a time."""

    version = models.CharField(max_length=32, unique=True)
    languages = ArrayField(models.CharField(max_length=8), help_text="en, sw, sheng")
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the canonical entries.")
    entry_count = models.PositiveIntegerField()
    signed = models.BooleanField(
        default=False, help_text="Every entry signed by two native-speaker clinicians; else to be validated."
    )
    is_active = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="lexicon_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"lexicon {self.version}"


class LexiconEntry(Record):
    """One entry of a lexicon version, as the back office shows it; matching reads the compiled data."""

    lexicon = models.ForeignKey(Lexicon, on_delete=models.PROTECT, related_name="entries")
    code = models.CharField(max_length=40, help_text="The entry's id; in evidence, never on a card.")
    tier = models.CharField(max_length=4, blank=True)
    language = models.CharField(max_length=8)
    role = models.CharField(max_length=24)
    patterns = models.JSONField(default=list)
    cues = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    note = models.CharField(max_length=300, blank=True)
    signed_by = ArrayField(models.UUIDField(), default=list, blank=True)

    class Meta:
        verbose_name_plural = "lexicon entries"
        constraints = [
            models.UniqueConstraint(fields=["lexicon", "code"], name="lexiconentry_once"),
            models.CheckConstraint(
                condition=Q(tier__in=["", "A", "B", "C", "D", "V", "SH"]), name="lexiconentry_tier"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Reusable filters of the ledger."""

    def counting(self, at: object) -> Self:
        """The rows that still count at `at`: not refuted, not expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), refuted_at__isnull=True)


class Evidence(OrgRecord):
    """One coded observation about a person: codes, ids, times and numbers, never words."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    domain = models.CharField(max_length=16, choices=EvidenceDomain)
    tier = models.CharField(max_length=24, blank=True, help_text="Tier, triage, direction or kind, by code.")
    value = models.FloatField(null=True, blank=True)
    confidence = models.FloatField(default=1.0)
    floor = models.CharField(max_length=8, blank=True, help_text="A level that the item itself demands.")
    status = models.CharField(max_length=8, choices=FactorStatus, default=FactorStatus.PRESENT)
    source_type = models.CharField(max_length=16)
    source_id = models.UUIDField(null=True, blank=True, help_text="Bare: the source may be gone.")
    session_ref = models.UUIDField(null=True, blank=True)
    local_day = models.DateField(null=True, blank=True, help_text="The person's own calendar day.")
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When it stops counting by itself; empty: until a human act ends it."
    )
    lexicon_entry = models.CharField(max_length=40, blank=True)
    # Of whatever made the row: the lexicon, the text model, the engine of a gap or of a rule in shadow.
    lexicon_version = models.CharField(max_length=32, blank=True)
    flags = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    refuted_at = models.DateTimeField(null=True, blank=True)
    refuted_by_alert = models.UUIDField(null=True, blank=True)
    supersedes = models.UUIDField(null=True, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="evidence_confidence_0_1"
            ),
            models.CheckConstraint(condition=Q(domain__in=EvidenceDomain.values), name="evidence_domain"),
            models.CheckConstraint(condition=Q(status__in=FactorStatus.values), name="evidence_status"),
            models.CheckConstraint(
                condition=Q(floor__in=["", *LevelChoice.values]), name="evidence_floor_is_a_level"
            ),
            models.CheckConstraint(
                condition=Q(refuted_at__isnull=False) | Q(refuted_by_alert__isnull=True),
                name="evidence_refuted_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gte=F("observed_at")),
                name="evidence_expires_after_observed",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-observed_at"], name="evidence_patient_time"),
            models.Index(
                fields=["patient", "expires_at"],
                condition=Q(refuted_at__isnull=True),
                name="evidence_counting",
            ),
            models.Index(fields=["source_id"], name="evidence_source"),
            models.Index(fields=["code", "-observed_at"], name="evidence_code_time"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.observed_at:%Y-%m-%d}"


class RiskAssessment(AppendedRecord):
    """One evaluation of one person, stored whole: nothing is ever dropped or changed."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=8, choices=LevelChoice)
    level_source = models.CharField(max_length=10, choices=LevelSource)
    engine_level = models.CharField(
        max_length=8, choices=LevelChoice, help_text="Before the hysteresis; `level` may be held above it."
    )
    score = models.DecimalField(max_digits=3, decimal_places=2)
    score_raw = models.DecimalField(max_digits=5, decimal_places=4)
    protective_applied = models.DecimalField(max_digits=5, decimal_places=4)
    caps = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    factors = models.JSONField(default=list)
    rules_fired = ArrayField(models.CharField(max_length=4), default=list, blank=True)
    signals = models.JSONField(default=list, help_text="Urgency by kind of alert, as codes.")
    reviews = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    missing_inputs = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    engine_version = models.CharField(max_length=16)
    lexicon_version = models.CharField(max_length=32, blank=True)
    rule_states = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Rules that were not live, with their states."
    )
    inputs_digest = models.CharField(max_length=64)
    source = models.CharField(max_length=10, choices=AssessmentSource, default=AssessmentSource.ENGINE)
    computed_at = models.DateTimeField()
    entered_level_at = models.DateTimeField()
    calm_since = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(null=True, blank=True, help_text="Last at medium or above.")
    alert_ref = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="assessment_score_0_1"),
            models.CheckConstraint(
                condition=Q(score_raw__gte=0, score_raw__lte=1), name="assessment_score_raw_0_1"
            ),
            models.CheckConstraint(
                condition=Q(protective_applied__gte=0, protective_applied__lte=1),
                name="assessment_protective_0_1",
            ),
            models.CheckConstraint(condition=Q(level__in=LevelChoice.values), name="assessment_level"),
            models.CheckConstraint(
                condition=Q(engine_level__in=LevelChoice.values), name="assessment_engine_level"
            ),
            models.CheckConstraint(
                condition=Q(level_source__in=LevelSource.values), name="assessment_level_source"
            ),
            models.CheckConstraint(condition=Q(source__in=AssessmentSource.values), name="assessment_source"),
        ]
        indexes = [
            models.Index(fields=["patient", "-computed_at", "-id"], name="assessment_patient_time"),
            models.Index(fields=["level", "-computed_at"], name="assessment_level_time"),
            # Who came to a level since a time, among all the looks that left it as it was.
            models.Index(
                fields=["patient", "computed_at"],
                condition=Q(
                    entered_level_at=models.F("computed_at"), level__in=["medium", "high", "critical"]
                ),
                name="assessment_entered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.computed_at:%Y-%m-%d %H:%M}"

    @property
    def is_held(self) -> bool:
        """Whether only hysteresis keeps the level up."""
        return self.level_source == LevelSource.HELD


class SettingKind(models.TextChoices):
    """What an organization may set of the engine beside the text model."""

    RULE = "rule", "Rule"
    LEXICON = "lexicon", "Lexicon"


class SettingState(models.TextChoices):
    """What a rule or a version may do."""

    OFF = "off", "Off"
    SHADOW = "shadow", "In shadow"
    LIVE = "live", "Live"


class EngineSetting(OrgRecord):
    """One change of what a rule or a version of the lexicon may do: who asked for it, why, and who agreed.

    Rows are kept: the newest one in force counts, and where there is none, the package's own.
    """

    kind = models.CharField(max_length=8, choices=SettingKind)
    name = models.CharField(max_length=32, help_text="The rule's id, or the version of the lexicon.")
    state = models.CharField(max_length=8, choices=SettingState)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", help_text="Second reader."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    agreed = models.BooleanField(null=True, blank=True)
    in_force_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "engine setting"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=SettingKind.values), name="setting_kind"),
            models.CheckConstraint(condition=Q(state__in=SettingState.values), name="setting_state"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="setting_reader_is_another",
            ),
            models.CheckConstraint(
                condition=Q(in_force_at__isnull=True) | ~Q(agreed=False),
                name="setting_refused_is_not_in_force",
            ),
            models.UniqueConstraint(
                fields=["organization", "kind", "name"],
                condition=Q(in_force_at__isnull=True, decided_at__isnull=True),
                name="setting_one_question",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "kind", "name", "-in_force_at"],
                condition=Q(in_force_at__isnull=False),
                name="setting_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_state_display().lower()}"

    @property
    def is_waiting(self) -> bool:
        """Whether a second reader has yet to decide."""
        return self.in_force_at is None and self.decided_at is None


class RiskDue(OrgRecord):
    """An evaluation that is due for a person; the sweeper claims it, evaluates and marks it done."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    reason_code = models.CharField(max_length=32)
    source_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "risk due"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "reason_code"],
                condition=Q(done_at__isnull=True),
                name="riskdue_one_open_per_reason",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(claimed_at__isnull=False),
                name="riskdue_done_was_claimed",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="riskdue_open"),
        ]

    def __str__(self) -> str:
        return f"{self.reason_code} due {self.due_at:%Y-%m-%d %H:%M}"
