"""What was asked when a promised contact was made: screener, safety plan, means (domain 3.9)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord


class ScreenerCheck(models.TextChoices):
    """Whether the C-SSRS was asked."""

    DONE = "done", "Asked"
    NOT_ASKED = "not_asked", "Not asked"


class PlanCheck(models.TextChoices):
    """What a look at the safety plan found."""

    FITS = "fits", "Still fits"
    CHANGED = "changed", "Changed, or to be changed"
    NONE = "none", "There is none yet"
    NOT_ASKED = "not_asked", "Not looked at"


class MeansCheck(models.TextChoices):
    """Whether the means are safe."""

    SAFE = "safe", "Safe: out of reach"
    UNSAFE = "unsafe", "Not safe: within reach"
    NOT_ASKED = "not_asked", "Not asked"


class WhyNot(models.TextChoices):
    """Why a question of a follow-up wasn't asked."""

    DECLINED = "declined", "They didn't want to"
    NOT_ALONE = "not_alone", "They couldn't speak freely"
    DISTRESS = "distress", "Too distressed to be asked"
    CUT_SHORT = "cut_short", "The contact ended too soon"
    ASKED_LATELY = "asked_lately", "Asked a short while ago"
    NO_FORM = "no_form", "The form was not at hand"
    NO_LANGUAGE = "no_language", "No language in common"
    OTHER = "other", "Another reason: see the note"


def _with_reason(answer: str, why: str) -> Q:
    """A reason stands with "not asked", and with nothing else."""
    return Q(**{answer: "not_asked"}, **{f"{why}__in": WhyNot.values}) | (
        ~Q(**{answer: "not_asked"}) & Q(**{why: ""})
    )


class FollowUpCheck(AppendedRecord):
    """The answers of one contact; written once, with what was said of the means sealed."""

    sealed_subject = "patient_id"

    follow_up = models.OneToOneField("crisis.FollowUp", models.PROTECT, related_name="checks")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    screener = models.CharField(max_length=12, choices=ScreenerCheck, blank=True)
    screener_id = models.UUIDField(null=True, blank=True, help_text="Which administration it was.")
    screened_at = models.DateTimeField(null=True, blank=True)
    screener_why = models.CharField(max_length=16, choices=WhyNot, blank=True)
    plan = models.CharField(max_length=12, choices=PlanCheck, blank=True)
    plan_why = models.CharField(max_length=16, choices=WhyNot, blank=True)
    means = models.CharField(max_length=12, choices=MeansCheck, blank=True)
    means_why = models.CharField(max_length=16, choices=WhyNot, blank=True)
    means_note = SealedTextField(null=True, blank=True)

    class Meta:
        verbose_name = "follow-up's answers"
        verbose_name_plural = "follow-ups' answers"
        constraints = [
            models.CheckConstraint(
                condition=_with_reason("screener", "screener_why"), name="check_screener_reason"
            ),
            models.CheckConstraint(condition=_with_reason("plan", "plan_why"), name="check_plan_reason"),
            models.CheckConstraint(condition=_with_reason("means", "means_why"), name="check_means_reason"),
            models.CheckConstraint(
                condition=Q(screener="done", screener_id__isnull=False, screened_at__isnull=False)
                | (~Q(screener="done") & Q(screener_id__isnull=True, screened_at__isnull=True)),
                name="check_screener_named",
            ),
        ]
        indexes = [models.Index(fields=["patient", "-answered_at"], name="check_patient")]

    def __str__(self) -> str:
        return f"answers of {self.follow_up_id}"
