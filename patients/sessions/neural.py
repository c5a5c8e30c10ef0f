"""Neural audio: how one session was set, what suits a person, and what is proposed to change (domain 6)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from cortex.crypto.fields import SealedJSONField
from cortex.records import OrgRecord
from patients.bounds import all_between, between, one_of, source_keys

# Usual bounds in Hz (domain 1.7): a person's own may differ, and the page warns where they do.
USUAL_HZ: dict[str, tuple[float, float]] = {
    "delta": (0.5, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "gamma": (30.0, 100.0),
}
MOST_HZ = 1000


class Band(models.TextChoices):
    """A span of frequencies that a session aims at."""

    DELTA = "delta", "Delta"
    THETA = "theta", "Theta"
    ALPHA = "alpha", "Alpha"
    GAMMA = "gamma", "Gamma"


class NeuralAudioDetail(models.Model):
    """How a neural-audio session was set, and the side effects that were noted in it."""

    session = models.OneToOneField(
        "patients.Session", models.PROTECT, primary_key=True, related_name="neural_audio"
    )
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="neural_sessions")
    base_frequency_hz = models.FloatField(null=True, blank=True)
    target_frequency_hz = models.FloatField(null=True, blank=True)
    volume_level = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0-100")
    initial_state = models.CharField(max_length=64, blank=True)
    target_state = models.CharField(max_length=64, blank=True)
    side_effects = SealedJSONField(
        null=True, blank=True, help_text="A list of {code, severity}; from earlier systems {code: severity}."
    )
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    legacy_ids = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            all_between(("base_frequency_hz", "target_frequency_hz"), 0, MOST_HZ, "neural_frequencies_hz"),
            between("volume_level", 0, 100, "neural_volume_0_100"),
            *source_keys("neural_detail", "source002.sessions"),
        ]

    def __str__(self) -> str:
        return f"neural audio {self.pk}"


class NeuralProfile(OrgRecord):
    """What suits one person, whether they may be given it at all, and which band is assigned.

    Wellness with limited evidence: it is never counted as treatment (domain 6.1).
    """

    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="neural_profile")
    base_frequency_response = models.JSONField(
        default=dict, blank=True, help_text="{band: response 0-1}; codes and numbers only."
    )
    optimal_transition_seconds = models.PositiveIntegerField(null=True, blank=True)
    contraindications = SealedJSONField(null=True, blank=True, help_text="{code: yes, no or unknown}")
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    sensitivity_level = models.PositiveSmallIntegerField(default=5)
    volume_level = models.PositiveSmallIntegerField(default=50)
    preferred_hz = models.FloatField(null=True, blank=True)
    delta_min_hz = models.FloatField(null=True, blank=True)
    delta_max_hz = models.FloatField(null=True, blank=True)
    theta_min_hz = models.FloatField(null=True, blank=True)
    theta_max_hz = models.FloatField(null=True, blank=True)
    alpha_min_hz = models.FloatField(null=True, blank=True)
    alpha_max_hz = models.FloatField(null=True, blank=True)
    gamma_min_hz = models.FloatField(null=True, blank=True)
    gamma_max_hz = models.FloatField(null=True, blank=True)
    paused_bands = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    assigned_band = models.CharField(max_length=8, choices=Band.choices, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            between("sensitivity_level", 1, 10, "neuralprofile_sensitivity_1_10"),
            between("volume_level", 0, 100, "neuralprofile_volume_0_100"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{band}_min_hz__isnull": True, f"{band}_max_hz__isnull": True})
                    | Q(**{f"{band}_min_hz__isnull": False, f"{band}_max_hz__isnull": False,
                           f"{band}_min_hz__gte": 0, f"{band}_min_hz__lt": F(f"{band}_max_hz"),
                           f"{band}_max_hz__lte": MOST_HZ}),
                    name=f"neuralprofile_{band}_in_order",
                )
                for band in USUAL_HZ
            ),
            between("preferred_hz", 0, MOST_HZ, "neuralprofile_preferred_hz"),
            one_of("assigned_band", ["", *Band.values], "neuralprofile_assigned_known"),
            models.CheckConstraint(
                condition=Q(paused_bands__contained_by=list(Band.values)), name="neuralprofile_paused_known"
            ),
            models.CheckConstraint(
                condition=Q(assigned_band="")
                | Q(assigned_at__isnull=False, assigned_by__isnull=False, checked_at__isnull=False),
                name="neuralprofile_assigned_after_a_check",
            ),
            models.CheckConstraint(
                condition=Q(checked_at__isnull=True) | Q(checked_by__isnull=False),
                name="neuralprofile_check_has_a_reader",
            ),
            *source_keys("neuralprofile", "source002.neural_profiles"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"neural profile {self.pk}"

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return each band's bounds in Hz: the person's own, else the usual ones."""
        found = {}
        for band, usual in USUAL_HZ.items():
            low, high = getattr(self, f"{band}_min_hz"), getattr(self, f"{band}_max_hz")
            found[band] = usual if low is None or high is None else (low, high)
        return found


class ProposalStatus(models.TextChoices):
    """Whether a clinician has decided."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class ProposalReason(models.TextChoices):
    """The rule that proposed it (domain 6)."""

    EFFECTIVE = "effective", "Helped in three sessions or more"
    INEFFECTIVE = "ineffective", "Did not help in three sessions or more"
    SIDE_EFFECT = "side_effect", "A side effect, moderate or worse"


PROPOSED = ("preferred_hz", "volume_level", "sensitivity_level", "paused_bands")


class NeuralProfileProposal(OrgRecord):
    """One change of a profile that the rules propose; a clinician alone applies it."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="neural_proposals", db_index=False
    )
    field = models.CharField(max_length=20, choices=[(name, name) for name in PROPOSED])
    band = models.CharField(max_length=8, choices=Band.choices)
    from_value = models.FloatField(null=True, blank=True)
    to_value = models.FloatField(null=True, blank=True, help_text="Empty where a band is paused.")
    reason_code = models.CharField(max_length=12, choices=ProposalReason.choices)
    evidence_n = models.PositiveSmallIntegerField(help_text="Sessions that say so.")
    newest_at = models.DateTimeField(help_text="When the newest of these sessions was.")
    status = models.CharField(max_length=8, choices=ProposalStatus.choices, default=ProposalStatus.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            one_of("field", PROPOSED, "neuralproposal_field_known"),
            one_of("band", Band.values, "neuralproposal_band_known"),
            one_of("reason_code", ProposalReason.values, "neuralproposal_reason_known"),
            one_of("status", ProposalStatus.values, "neuralproposal_status_known"),
            models.UniqueConstraint(
                fields=["patient", "field", "band"],
                condition=Q(status=ProposalStatus.OPEN),
                name="neuralproposal_open_once",
            ),
            models.CheckConstraint(
                condition=Q(status=ProposalStatus.OPEN)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="neuralproposal_decision_has_a_clinician",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["patient", "-id"], name="neuralproposal_patient")]

    def __str__(self) -> str:
        return f"proposal {self.pk}"
