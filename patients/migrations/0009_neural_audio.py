"""Neural audio: how sessions were set, profiles, and what is proposed to change."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_second_factors"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NeuralAudioDetail",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="neural_audio",
                        serialize=False,
                        to="patients.session",
                    ),
                ),
                ("base_frequency_hz", models.FloatField(blank=True, null=True)),
                ("target_frequency_hz", models.FloatField(blank=True, null=True)),
                ("volume_level", models.PositiveSmallIntegerField(blank=True, help_text="0-100", null=True)),
                ("initial_state", models.CharField(blank=True, max_length=64)),
                ("target_state", models.CharField(blank=True, max_length=64)),
                (
                    "side_effects",
                    cortex.crypto.fields.SealedJSONField(
                        blank=True,
                        help_text="A list of {code, severity}; from earlier systems {code: severity}.",
                        null=True,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="neural_sessions",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("base_frequency_hz__gte", 0), ("base_frequency_hz__lte", 1000)),
                                ("base_frequency_hz__isnull", True),
                                _connector="OR",
                            ),
                            models.Q(
                                models.Q(("target_frequency_hz__gte", 0), ("target_frequency_hz__lte", 1000)),
                                ("target_frequency_hz__isnull", True),
                                _connector="OR",
                            ),
                        ),
                        name="neural_frequencies_hz",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("volume_level__gte", 0), ("volume_level__lte", 100)),
                            ("volume_level__isnull", True),
                            _connector="OR",
                        ),
                        name="neural_volume_0_100",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform("source002.sessions", "legacy_ids"),
                        condition=models.Q(("legacy_ids__has_key", "source002.sessions")),
                        name="neural_detail_key_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NeuralProfile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "legacy_ids",
                    models.JSONField(
                        blank=True, default=dict, help_text="Keys of the sources, as {source.table: key}."
                    ),
                ),
                (
                    "base_frequency_response",
                    models.JSONField(
                        blank=True, default=dict, help_text="{band: response 0-1}; codes and numbers only."
                    ),
                ),
                ("optimal_transition_seconds", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "contraindications",
                    cortex.crypto.fields.SealedJSONField(
                        blank=True, help_text="{code: yes, no or unknown}", null=True
                    ),
                ),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("sensitivity_level", models.PositiveSmallIntegerField(default=5)),
                ("volume_level", models.PositiveSmallIntegerField(default=50)),
                ("preferred_hz", models.FloatField(blank=True, null=True)),
                ("delta_min_hz", models.FloatField(blank=True, null=True)),
                ("delta_max_hz", models.FloatField(blank=True, null=True)),
                ("theta_min_hz", models.FloatField(blank=True, null=True)),
                ("theta_max_hz", models.FloatField(blank=True, null=True)),
                ("alpha_min_hz", models.FloatField(blank=True, null=True)),
                ("alpha_max_hz", models.FloatField(blank=True, null=True)),
                ("gamma_min_hz", models.FloatField(blank=True, null=True)),
                ("gamma_max_hz", models.FloatField(blank=True, null=True)),
                (
                    "paused_bands",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), blank=True, default=list, size=None
                    ),
                ),
                (
                    "assigned_band",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("delta", "Delta"),
                            ("theta", "Theta"),
                            ("alpha", "Alpha"),
                            ("gamma", "Gamma"),
                        ],
                        max_length=8,
                    ),
                ),
                ("assigned_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assigned_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "checked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="neural_profile",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sensitivity_level__gte", 1), ("sensitivity_level__lte", 10)),
                            ("sensitivity_level__isnull", True),
                            _connector="OR",
                        ),
                        name="neuralprofile_sensitivity_1_10",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("volume_level__gte", 0), ("volume_level__lte", 100)),
                            ("volume_level__isnull", True),
                            _connector="OR",
                        ),
                        name="neuralprofile_volume_0_100",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("delta_max_hz__isnull", True), ("delta_min_hz__isnull", True)),
                            models.Q(
                                ("delta_max_hz__isnull", False),
                                ("delta_max_hz__lte", 1000),
                                ("delta_min_hz__gte", 0),
                                ("delta_min_hz__isnull", False),
                                ("delta_min_hz__lt", models.F("delta_max_hz")),
                            ),
                            _connector="OR",
                        ),
                        name="neuralprofile_delta_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("theta_max_hz__isnull", True), ("theta_min_hz__isnull", True)),
                            models.Q(
                                ("theta_max_hz__isnull", False),
                                ("theta_max_hz__lte", 1000),
                                ("theta_min_hz__gte", 0),
                                ("theta_min_hz__isnull", False),
                                ("theta_min_hz__lt", models.F("theta_max_hz")),
                            ),
                            _connector="OR",
                        ),
                        name="neuralprofile_theta_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("alpha_max_hz__isnull", True), ("alpha_min_hz__isnull", True)),
                            models.Q(
                                ("alpha_max_hz__isnull", False),
                                ("alpha_max_hz__lte", 1000),
                                ("alpha_min_hz__gte", 0),
                                ("alpha_min_hz__isnull", False),
                                ("alpha_min_hz__lt", models.F("alpha_max_hz")),
                            ),
                            _connector="OR",
                        ),
                        name="neuralprofile_alpha_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("gamma_max_hz__isnull", True), ("gamma_min_hz__isnull", True)),
                            models.Q(
                                ("gamma_max_hz__isnull", False),
                                ("gamma_max_hz__lte", 1000),
                                ("gamma_min_hz__gte", 0),
                                ("gamma_min_hz__isnull", False),
                                ("gamma_min_hz__lt", models.F("gamma_max_hz")),
                            ),
                            _connector="OR",
                        ),
                        name="neuralprofile_gamma_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("preferred_hz__gte", 0), ("preferred_hz__lte", 1000)),
                            ("preferred_hz__isnull", True),
                            _connector="OR",
                        ),
                        name="neuralprofile_preferred_hz",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("assigned_band__in", ["", "alpha", "delta", "gamma", "theta"])),
                        name="neuralprofile_assigned_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paused_bands__contained_by", ["delta", "theta", "alpha", "gamma"])
                        ),
                        name="neuralprofile_paused_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("assigned_band", ""),
                            models.Q(
                                ("assigned_at__isnull", False),
                                ("assigned_by__isnull", False),
                                ("checked_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="neuralprofile_assigned_after_a_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_at__isnull", True), ("checked_by__isnull", False), _connector="OR"
                        ),
                        name="neuralprofile_check_has_a_reader",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform(
                            "source002.neural_profiles", "legacy_ids"
                        ),
                        condition=models.Q(("legacy_ids__has_key", "source002.neural_profiles")),
                        name="neuralprofile_key_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NeuralProfileProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "legacy_ids",
                    models.JSONField(
                        blank=True, default=dict, help_text="Keys of the sources, as {source.table: key}."
                    ),
                ),
                (
                    "field",
                    models.CharField(
                        choices=[
                            ("preferred_hz", "preferred_hz"),
                            ("volume_level", "volume_level"),
                            ("sensitivity_level", "sensitivity_level"),
                            ("paused_bands", "paused_bands"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("delta", "Delta"),
                            ("theta", "Theta"),
                            ("alpha", "Alpha"),
                            ("gamma", "Gamma"),
                        ],
                        max_length=8,
                    ),
                ),
                ("from_value", models.FloatField(blank=True, null=True)),
                (
                    "to_value",
                    models.FloatField(blank=True, help_text="Empty where a band is paused.", null=True),
                ),
                (
                    "reason_code",
                    models.CharField(
                        choices=[
                            ("effective", "Helped in three sessions or more"),
                            ("ineffective", "Did not help in three sessions or more"),
                            ("side_effect", "A side effect, moderate or worse"),
                        ],
                        max_length=12,
                    ),
                ),
                ("evidence_n", models.PositiveSmallIntegerField(help_text="Sessions that say so.")),
                ("newest_at", models.DateTimeField(help_text="When the newest of these sessions was.")),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("accepted", "Accepted"), ("refused", "Refused")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="neural_proposals",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["patient", "-id"], name="neuralproposal_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "field__in",
                                ["paused_bands", "preferred_hz", "sensitivity_level", "volume_level"],
                            )
                        ),
                        name="neuralproposal_field_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("band__in", ["alpha", "delta", "gamma", "theta"])),
                        name="neuralproposal_band_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason_code__in", ["effective", "ineffective", "side_effect"])),
                        name="neuralproposal_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["accepted", "open", "refused"])),
                        name="neuralproposal_status_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("patient", "field", "band"),
                        name="neuralproposal_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "open"),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="neuralproposal_decision_has_a_clinician",
                    ),
                ],
            },
        ),
        GuardRows("NeuralAudioDetail"),
        GuardRows("NeuralProfile"),
        GuardRows("NeuralProfileProposal"),
    ]
