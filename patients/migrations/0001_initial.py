"""Tables of people, consents, and what their apps send; messages and emotions are cut by month from the start."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
import patients.registry.models
from cortex.ops.partitions import PartitionedTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
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
                ("client_ref", models.CharField(blank=True, max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("self_guided", "Self-guided"),
                            ("voice_checkin", "Voice check-in"),
                            ("neural_audio", "Neural audio"),
                            ("therapy", "Therapy"),
                            ("chat", "Chat"),
                            ("crisis_contact", "Crisis contact"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subtype", models.CharField(blank=True, max_length=64)),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("in_person", "In person"),
                            ("video", "Video"),
                            ("phone", "Phone"),
                            ("sms", "SMS"),
                            ("chat", "Chat"),
                            ("voice_app", "Voice app"),
                            ("app", "App"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("in_progress", "In progress"),
                            ("completed", "Completed"),
                            ("abandoned", "Abandoned"),
                            ("no_show", "No show"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="in_progress",
                        max_length=12,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "start_is_inferred",
                    models.BooleanField(
                        default=False, help_text="Something of the session came before its start did."
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("duration_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("mood_label", models.CharField(blank=True, max_length=32)),
                ("tags", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("metrics", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("is_shared", models.BooleanField(default=False, verbose_name="shared with the care team")),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at"],
            },
        ),
        migrations.CreateModel(
            name="Patient",
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
                    "anonymous_id",
                    models.CharField(
                        default=patients.registry.models.new_pseudonym,
                        max_length=64,
                        unique=True,
                        verbose_name="pseudonym",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended"), ("deleted", "Erased")],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "is_provisional",
                    models.BooleanField(
                        default=False, help_text="Opened by hand for a person not on record."
                    ),
                ),
                (
                    "person_id",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            models.F("merged_into_id"), models.F("id")
                        ),
                        output_field=models.UUIDField(),
                    ),
                ),
                ("given_name", cortex.crypto.fields.SealedCharField(blank=True, max_length=120, null=True)),
                ("middle_name", cortex.crypto.fields.SealedCharField(blank=True, max_length=120, null=True)),
                ("family_name", cortex.crypto.fields.SealedCharField(blank=True, max_length=120, null=True)),
                ("pronouns", cortex.crypto.fields.SealedCharField(blank=True, max_length=40, null=True)),
                ("sex", cortex.crypto.fields.SealedCharField(blank=True, max_length=20, null=True)),
                ("gender", cortex.crypto.fields.SealedCharField(blank=True, max_length=40, null=True)),
                ("email", cortex.crypto.fields.SealedCharField(blank=True, max_length=254, null=True)),
                ("email_hash", models.BinaryField(blank=True, null=True)),
                ("phone", cortex.crypto.fields.SealedCharField(blank=True, max_length=40, null=True)),
                ("phone_hash", models.BinaryField(blank=True, null=True)),
                ("date_of_birth", cortex.crypto.fields.SealedDateField(blank=True, null=True)),
                (
                    "age_band",
                    models.CharField(
                        choices=[
                            ("unknown", "Age unknown"),
                            ("under_13", "Under 13"),
                            ("13_17", "13-17"),
                            ("18_24", "18-24"),
                            ("25_34", "25-34"),
                            ("35_44", "35-44"),
                            ("45_54", "45-54"),
                            ("55_64", "55-64"),
                            ("65_plus", "65 and over"),
                        ],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                ("home_address", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("usual_places", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "mrn",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, max_length=64, null=True, verbose_name="record number"
                    ),
                ),
                ("mrn_hash", models.BinaryField(blank=True, null=True)),
                ("external_provider_ref", models.CharField(blank=True, max_length=120)),
                ("risk_notes", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "language",
                    models.CharField(
                        default="en", help_text="en, sw, sheng, or another code.", max_length=16
                    ),
                ),
                ("locale", models.CharField(blank=True, max_length=16)),
                (
                    "timezone",
                    models.CharField(blank=True, help_text="Empty: the organization's zone.", max_length=64),
                ),
                ("data_retention_days", models.PositiveSmallIntegerField(default=90)),
                ("registered_at", models.DateTimeField()),
                ("last_active_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        db_index=False,
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_rows",
                        to="patients.patient",
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
                    "primary_clinician",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["anonymous_id"],
                "permissions": [
                    ("view_chart", "Can read the whole chart"),
                    ("view_consents", "Can read consents and requests"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LastLocation",
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
                    "place",
                    cortex.crypto.fields.SealedJSONField(
                        help_text="{latitude, longitude, accuracy_m} or {text}."
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
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
                        related_name="last_location",
                        to="patients.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EmergencyContact",
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
                ("name", cortex.crypto.fields.SealedCharField(blank=True, max_length=160, null=True)),
                ("relationship", cortex.crypto.fields.SealedCharField(blank=True, max_length=80, null=True)),
                ("phone", cortex.crypto.fields.SealedCharField(blank=True, max_length=40, null=True)),
                ("email", cortex.crypto.fields.SealedCharField(blank=True, max_length=254, null=True)),
                ("language", models.CharField(blank=True, max_length=16)),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "legacy_text",
                    cortex.crypto.fields.SealedTextField(
                        blank=True, help_text="One unparsed line, as a source had it.", null=True
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=1, help_text="Whom to call first.")),
                ("is_active", models.BooleanField(default=True)),
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
                        related_name="emergency_contacts",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "id"],
            },
        ),
        migrations.CreateModel(
            name="DailyCheckIn",
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
                ("date", models.DateField(help_text="The person's local day.")),
                ("mood", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("sleep_quality", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("stress_level", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("focus_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("metrics", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("notes", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("pii_present", models.BooleanField(default=False)),
                ("replaced_chars", models.PositiveIntegerField(default=0)),
                ("submitted_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
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
                        related_name="check_ins",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["-date"],
            },
        ),
        migrations.CreateModel(
            name="Consent",
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
                (
                    "consent_type",
                    models.CharField(
                        choices=[
                            ("treatment", "Treatment"),
                            ("privacy_notice", "Privacy notice"),
                            ("voice_processing", "Voice processing"),
                            ("ai_pattern_analysis", "Pattern analysis"),
                            ("recording", "Recording"),
                            ("emergency_contact", "Emergency contact"),
                            ("caregiver_sharing", "Sharing with a caregiver"),
                            ("care_team_sharing", "Sharing with the care team"),
                            ("part2_tpo", "Part 2: treatment, payment, operations"),
                            ("part2_sud_counseling_notes", "Part 2: counseling notes"),
                            ("psychotherapy_notes_release", "Release of psychotherapy notes"),
                            ("research", "Research"),
                            ("memory_personalisation", "Memory and personalisation"),
                            ("messaging_sms_email", "SMS and e-mail"),
                            ("telehealth", "Telehealth"),
                            ("cross_border_transfer", "Transfer abroad"),
                        ],
                        max_length=32,
                        verbose_name="type",
                    ),
                ),
                ("granted", models.BooleanField(default=False)),
                (
                    "scope",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="purposes, data_categories, recipients, channels, from, to, exclusions: codes and dates only.",
                    ),
                ),
                (
                    "version",
                    models.CharField(blank=True, help_text="Of the wording that was shown.", max_length=32),
                ),
                ("language", models.CharField(blank=True, max_length=16)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("app", "In the app"),
                            ("paper", "On paper"),
                            ("spoken", "Spoken"),
                            ("import", "Imported"),
                        ],
                        default="app",
                        max_length=8,
                    ),
                ),
                (
                    "recorded_by_client",
                    models.UUIDField(blank=True, help_text="The API client, by bare id.", null=True),
                ),
                ("recorded_at", models.DateTimeField(help_text="When the person decided.")),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "guardian",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, help_text="Who consented for a child.", max_length=160, null=True
                    ),
                ),
                (
                    "evidence_ref",
                    models.CharField(blank=True, help_text="Where the paper or record lies.", max_length=120),
                ),
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
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["-recorded_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="CareTeamMember",
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
                    "outside_name",
                    cortex.crypto.fields.SealedCharField(
                        blank=True,
                        help_text="A caregiver or family doctor without an account.",
                        max_length=160,
                        null=True,
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("primary_therapist", "Primary therapist"),
                            ("psychiatrist", "Psychiatrist"),
                            ("counselor", "Counselor"),
                            ("case_manager", "Case manager"),
                            ("peer_worker", "Peer worker"),
                            ("supervisor", "Supervisor"),
                            ("primary_care", "Primary care"),
                            ("caregiver", "Caregiver"),
                        ],
                        max_length=20,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "cover_for",
                    models.ForeignKey(
                        db_index=False,
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="covered_by",
                        to="patients.careteammember",
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="care_places",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="care_team",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["patient", "starts_at"],
            },
        ),
        migrations.CreateModel(
            name="AssistantRationale",
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
                ("message_id", models.UUIDField(unique=True)),
                ("policy_selected", models.CharField(blank=True, max_length=64)),
                ("target_state", models.CharField(blank=True, max_length=64)),
                (
                    "selected_tools",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                ("citations", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
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
                        related_name="rationales",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PatientPreference",
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
                ("voice_preference", models.CharField(blank=True, max_length=64)),
                ("background_sound_type", models.CharField(blank=True, max_length=64)),
                ("preferred_duration_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "notification_preferences",
                    models.JSONField(blank=True, default=dict, help_text="Codes and flags only."),
                ),
                ("morning_routine_time", models.TimeField(blank=True, null=True)),
                ("evening_routine_time", models.TimeField(blank=True, null=True)),
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
                        related_name="preference",
                        to="patients.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PatientProfile",
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
                ("self_stated_goals", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("self_reported_conditions", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("self_reported_medications", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("legacy_assessment_data", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                (
                    "privacy_settings",
                    models.JSONField(blank=True, default=dict, help_text="Codes, numbers and flags only."),
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
                        related_name="profile",
                        to="patients.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PatientUserObjectPermission",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "reason_code",
                    models.CharField(
                        choices=[
                            ("consultation", "Consultation"),
                            ("second_opinion", "Second opinion"),
                            ("break_glass", "Break-glass"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="patients.patient",
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
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
                    "permission",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patient_grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "access grant",
            },
        ),
        migrations.CreateModel(
            name="VoiceSession",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="voice",
                        serialize=False,
                        to="patients.session",
                    ),
                ),
                ("voice_features", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("transcript_encrypted", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("transcript_language", models.CharField(blank=True, max_length=16)),
                ("transcript_hash", models.BinaryField(blank=True, null=True)),
                ("pii_present", models.BooleanField(default=False)),
                ("replaced_chars", models.PositiveIntegerField(default=0)),
                ("screened_at", models.DateTimeField(blank=True, null=True)),
                ("lexicon_version", models.CharField(blank=True, max_length=32)),
                ("processed", models.BooleanField(default=False)),
                ("patterns_extracted", models.BooleanField(default=False)),
                ("extracted_at", models.DateTimeField(blank=True, null=True)),
                ("delete_after", models.DateTimeField(db_index=True)),
                ("purged_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.AddField(
            model_name="session",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="patients.patient",
            ),
        ),
        migrations.CreateModel(
            name="Message",
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
                    "role",
                    models.CharField(
                        choices=[("patient", "Patient"), ("assistant", "Assistant"), ("staff", "Staff")],
                        max_length=10,
                    ),
                ),
                ("content", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("content_hash", models.BinaryField(blank=True, null=True)),
                ("language", models.CharField(blank=True, max_length=16)),
                ("pii_present", models.BooleanField(default=False)),
                (
                    "replaced_chars",
                    models.PositiveIntegerField(default=0, help_text="Characters that could not be kept."),
                ),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                ("metadata", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("service_context", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("safety_analysis", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                (
                    "performance_data",
                    models.JSONField(blank=True, default=dict, help_text="Numbers and codes only."),
                ),
                ("screened_at", models.DateTimeField(blank=True, null=True)),
                ("lexicon_version", models.CharField(blank=True, max_length=32)),
                ("sent_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
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
                        related_name="messages",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="messages",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        PartitionedTable("Message", keep_days=548),
        migrations.CreateModel(
            name="EmotionObservation",
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
                ("message_id", models.UUIDField(blank=True, null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("voice", "Voice"),
                            ("text", "Text"),
                            ("clinician", "Clinician"),
                            ("self_report", "Self-report"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happy", "Happy"),
                            ("trust", "Trust"),
                            ("anticipation", "Anticipation"),
                            ("surprise", "Surprise"),
                            ("neutral", "Neutral"),
                            ("disgust", "Disgust"),
                            ("angry", "Angry"),
                            ("fear", "Fear"),
                            ("sad", "Sad"),
                            ("numb", "Numb"),
                            ("resigned", "Resigned"),
                            ("hopeless", "Hopeless"),
                        ],
                        max_length=16,
                    ),
                ),
                ("valence", models.FloatField(blank=True, null=True)),
                ("arousal", models.FloatField(blank=True, null=True)),
                ("confidence", models.FloatField()),
                ("plutchik", models.JSONField(blank=True, default=dict, help_text="{emotion: 0-1}")),
                (
                    "probabilities",
                    models.JSONField(blank=True, default=dict, help_text="{canonical label: 0-1}"),
                ),
                ("clinical_markers", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("clinical_severity", models.CharField(blank=True, max_length=8)),
                ("is_flagged", models.BooleanField(default=False)),
                ("prosody_features", models.JSONField(blank=True, default=dict, help_text="Numbers only.")),
                ("model_name", models.CharField(blank=True, max_length=64)),
                ("model_version", models.CharField(blank=True, max_length=32)),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                (
                    "review_status",
                    models.CharField(
                        choices=[
                            ("unreviewed", "Not reviewed"),
                            ("confirmed", "Confirmed"),
                            ("corrected", "Corrected"),
                            ("rejected", "Rejected"),
                        ],
                        default="unreviewed",
                        max_length=10,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "corrected_label",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happy", "Happy"),
                            ("trust", "Trust"),
                            ("anticipation", "Anticipation"),
                            ("surprise", "Surprise"),
                            ("neutral", "Neutral"),
                            ("disgust", "Disgust"),
                            ("angry", "Angry"),
                            ("fear", "Fear"),
                            ("sad", "Sad"),
                            ("numb", "Numb"),
                            ("resigned", "Resigned"),
                            ("hopeless", "Hopeless"),
                        ],
                        max_length=16,
                    ),
                ),
                ("observed_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="emotions",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="emotions",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        PartitionedTable("EmotionObservation", keep_days=548),
        migrations.CreateModel(
            name="SessionActivity",
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
                ("activity_type", models.CharField(max_length=64)),
                ("activity_data", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("started_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("duration_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("outcome_score", models.FloatField(blank=True, null=True)),
                ("user_feedback", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("ai_analysis", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("pii_present", models.BooleanField(default=False)),
                ("replaced_chars", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
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
                        related_name="activities",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at"],
            },
        ),
        migrations.CreateModel(
            name="SessionFeature",
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
                ("observed_at", models.DateTimeField()),
                ("pitch_mean", models.FloatField(help_text="Hz", null=True)),
                ("pitch_std", models.FloatField(help_text="Hz, within the session", null=True)),
                ("pitch_range", models.FloatField(help_text="Hz", null=True)),
                ("energy_mean", models.FloatField(help_text="dB", null=True)),
                ("energy_std", models.FloatField(help_text="dB, within the session", null=True)),
                ("speech_rate", models.FloatField(help_text="Syllables per second", null=True)),
                ("pause_ratio", models.FloatField(help_text="0-1", null=True)),
                ("prosody_variance", models.FloatField(null=True)),
                ("speech_seconds", models.FloatField(null=True)),
                ("signal_ok", models.BooleanField(null=True)),
                ("is_ill", models.BooleanField(null=True)),
                ("is_intoxicated", models.BooleanField(null=True)),
                (
                    "voice_emotion",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happy", "Happy"),
                            ("trust", "Trust"),
                            ("anticipation", "Anticipation"),
                            ("surprise", "Surprise"),
                            ("neutral", "Neutral"),
                            ("disgust", "Disgust"),
                            ("angry", "Angry"),
                            ("fear", "Fear"),
                            ("sad", "Sad"),
                            ("numb", "Numb"),
                            ("resigned", "Resigned"),
                            ("hopeless", "Hopeless"),
                        ],
                        max_length=16,
                    ),
                ),
                ("voice_confidence", models.FloatField(null=True)),
                ("voice_valence", models.FloatField(null=True)),
                (
                    "text_emotion",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happy", "Happy"),
                            ("trust", "Trust"),
                            ("anticipation", "Anticipation"),
                            ("surprise", "Surprise"),
                            ("neutral", "Neutral"),
                            ("disgust", "Disgust"),
                            ("angry", "Angry"),
                            ("fear", "Fear"),
                            ("sad", "Sad"),
                            ("numb", "Numb"),
                            ("resigned", "Resigned"),
                            ("hopeless", "Hopeless"),
                        ],
                        max_length=16,
                    ),
                ),
                ("text_confidence", models.FloatField(null=True)),
                ("text_valence", models.FloatField(null=True)),
                (
                    "stated_emotion",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happy", "Happy"),
                            ("trust", "Trust"),
                            ("anticipation", "Anticipation"),
                            ("surprise", "Surprise"),
                            ("neutral", "Neutral"),
                            ("disgust", "Disgust"),
                            ("angry", "Angry"),
                            ("fear", "Fear"),
                            ("sad", "Sad"),
                            ("numb", "Numb"),
                            ("resigned", "Resigned"),
                            ("hopeless", "Hopeless"),
                        ],
                        max_length=16,
                    ),
                ),
                ("stated_confidence", models.FloatField(null=True)),
                ("stated_valence", models.FloatField(null=True)),
                (
                    "topic_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "coping_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "deflection_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "risk_cue_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "language_shares",
                    models.JSONField(blank=True, default=dict, help_text="{code: share of tokens, 0-1}"),
                ),
                ("token_count", models.PositiveIntegerField(null=True)),
                ("declined_help", models.BooleanField(null=True)),
                ("named_feeling", models.BooleanField(null=True)),
                ("dissonance_score", models.FloatField(null=True)),
                (
                    "dissonance_gap",
                    models.FloatField(help_text="Stated minus voice valence, -2 to 2.", null=True),
                ),
                (
                    "dissonance_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("concealment", "Concealment"),
                            ("amplification", "Amplification"),
                            ("congruent", "Congruent"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=16,
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
                        related_name="features",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feature",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-observed_at"],
            },
        ),
        migrations.CreateModel(
            name="SessionFeedback",
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
                    "author",
                    models.CharField(
                        choices=[("patient", "Patient"), ("staff", "Staff")], default="patient", max_length=12
                    ),
                ),
                ("satisfaction_raw", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("satisfaction_scale", models.PositiveSmallIntegerField(default=5)),
                ("effectiveness_raw", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("effectiveness_scale", models.PositiveSmallIntegerField(default=10)),
                ("feedback_text", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("physical_effects", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("mental_effects", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                ("pii_present", models.BooleanField(default=False)),
                ("replaced_chars", models.PositiveIntegerField(default=0)),
                ("given_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
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
                        related_name="feedback",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feedback",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "session feedback",
                "ordering": ["-given_at"],
            },
        ),
        migrations.CreateModel(
            name="ToolAction",
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
                ("tool_name", models.CharField(max_length=64)),
                ("params", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("started", "Started"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("error", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
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
                        related_name="tool_actions",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tool_actions",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at"],
            },
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["organization", "phone_hash"], name="patient_phone"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["organization", "status"], name="patient_org_status"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["person_id"], name="patient_person"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="patient_merged_into",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "deleted", "suspended"])),
                name="patient_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "age_band__in",
                        [
                            "13_17",
                            "18_24",
                            "25_34",
                            "35_44",
                            "45_54",
                            "55_64",
                            "65_plus",
                            "under_13",
                            "unknown",
                        ],
                    )
                ),
                name="patient_age_band_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("data_retention_days__gte", 30), ("data_retention_days__lte", 365)),
                    ("data_retention_days__isnull", True),
                    _connector="OR",
                ),
                name="patient_retention_30_365",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="patient_not_merged_into_self",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                condition=models.Q(("merged_into__isnull", True), ("status", "active")),
                fields=("organization", "email_hash"),
                name="patient_email_once_if_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                condition=models.Q(("merged_into__isnull", True), ("status", "active")),
                fields=("organization", "mrn_hash"),
                name="patient_mrn_once_if_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.users", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.users")),
                name="patient_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source001.users", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source001.users")),
                name="patient_key_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.users", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.users")),
                name="patient_key_3",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.User", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.User")),
                name="patient_key_4",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source004.app.user_profiles", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source004.app.user_profiles")),
                name="patient_key_5",
            ),
        ),
        migrations.AddConstraint(
            model_name="lastlocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__isnull", True), ("expires_at__gte", models.F("seen_at")), _connector="OR"
                ),
                name="location_expires_after_seen",
            ),
        ),
        migrations.AddIndex(
            model_name="emergencycontact",
            index=models.Index(fields=["patient", "order"], name="contact_patient_order"),
        ),
        migrations.AddConstraint(
            model_name="emergencycontact",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.user_profiles", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.user_profiles")),
                name="contact_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencycontact",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.User", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.User")),
                name="contact_key_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencycontact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("order__gte", 1), ("order__lte", 20)), ("order__isnull", True), _connector="OR"
                ),
                name="contact_order_1_20",
            ),
        ),
        migrations.AddIndex(
            model_name="dailycheckin",
            index=models.Index(fields=["patient", "-date"], name="checkin_patient_date"),
        ),
        migrations.AddConstraint(
            model_name="dailycheckin",
            constraint=models.UniqueConstraint(fields=("patient", "date"), name="checkin_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="dailycheckin",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("mood__gte", 1), ("mood__lte", 10)), ("mood__isnull", True), _connector="OR"
                    ),
                    models.Q(
                        models.Q(("sleep_quality__gte", 1), ("sleep_quality__lte", 10)),
                        ("sleep_quality__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("stress_level__gte", 1), ("stress_level__lte", 10)),
                        ("stress_level__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("focus_score__gte", 1), ("focus_score__lte", 10)),
                        ("focus_score__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="checkin_scores_1_10",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailycheckin",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.progress_tracking", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.progress_tracking")),
                name="checkin_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(
                fields=["patient", "consent_type", "-recorded_at", "-id"], name="consent_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("granted", True)),
                fields=["expires_at"],
                name="consent_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "consent_type__in",
                        [
                            "ai_pattern_analysis",
                            "care_team_sharing",
                            "caregiver_sharing",
                            "cross_border_transfer",
                            "emergency_contact",
                            "memory_personalisation",
                            "messaging_sms_email",
                            "part2_sud_counseling_notes",
                            "part2_tpo",
                            "privacy_notice",
                            "psychotherapy_notes_release",
                            "recording",
                            "research",
                            "telehealth",
                            "treatment",
                            "voice_processing",
                        ],
                    )
                ),
                name="consent_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["app", "import", "paper", "spoken"])),
                name="consent_method_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__isnull", True),
                    ("expires_at__gte", models.F("recorded_at")),
                    _connector="OR",
                ),
                name="consent_expires_after_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source004.compliance.consents", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source004.compliance.consents")),
                name="consent_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="careteammember",
            index=models.Index(fields=["user", "ends_at"], name="care_user_end"),
        ),
        migrations.AddIndex(
            model_name="careteammember",
            index=models.Index(fields=["patient", "ends_at"], name="care_patient_end"),
        ),
        migrations.AddIndex(
            model_name="careteammember",
            index=models.Index(
                condition=models.Q(("cover_for__isnull", False)), fields=["cover_for"], name="care_cover_for"
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "caregiver",
                            "case_manager",
                            "counselor",
                            "peer_worker",
                            "primary_care",
                            "primary_therapist",
                            "psychiatrist",
                            "supervisor",
                        ],
                    )
                ),
                name="care_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__isnull", True), ("ends_at__gte", models.F("starts_at")), _connector="OR"
                ),
                name="care_ends_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("user__isnull", False), ("role__in", ("caregiver", "primary_care")), _connector="OR"
                ),
                name="care_account_unless_outside",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(("cover_for__isnull", True), ("ends_at__isnull", False), _connector="OR"),
                name="care_cover_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cover_for__isnull", True),
                    models.Q(("cover_for", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="care_cover_of_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cover_for__isnull", True), ("ends_at__isnull", True)),
                fields=("patient", "user", "role"),
                name="care_place_once_while_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="care_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="assistantrationale",
            index=models.Index(fields=["patient", "-id"], name="rationale_patient"),
        ),
        migrations.AddConstraint(
            model_name="patientpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("preferred_duration_minutes__gte", 1), ("preferred_duration_minutes__lte", 240)
                    ),
                    ("preferred_duration_minutes__isnull", True),
                    _connector="OR",
                ),
                name="preference_minutes_1_240",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientpreference",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.user_preferences", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.user_preferences")),
                name="preference_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientprofile",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.user_profiles", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.user_profiles")),
                name="profile_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="patientuserobjectpermission",
            index=models.Index(fields=["user", "ends_at"], name="grant_user_end"),
        ),
        migrations.AddConstraint(
            model_name="patientuserobjectpermission",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason_code__in", ["break_glass", "consultation", "second_opinion"])),
                name="grant_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientuserobjectpermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__isnull", True), ("ends_at__gte", models.F("starts_at")), _connector="OR"
                ),
                name="grant_ends_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientuserobjectpermission",
            constraint=models.UniqueConstraint(
                fields=("user", "permission", "content_object", "starts_at"), name="grant_once_per_start"
            ),
        ),
        migrations.AddField(
            model_name="voicesession",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="voicesession",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="voice_sessions",
                to="patients.patient",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["patient", "-started_at"], name="session_patient_time"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["kind", "status", "started_at"], name="session_kind_status"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["chat", "crisis_contact", "neural_audio", "self_guided", "therapy", "voice_checkin"],
                    )
                ),
                name="session_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel__in", ["", "app", "chat", "in_person", "phone", "sms", "video", "voice_app"])
                ),
                name="session_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["abandoned", "cancelled", "completed", "in_progress", "no_show", "scheduled"],
                    )
                ),
                name="session_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), ("ended_at__gte", models.F("started_at")), _connector="OR"
                ),
                name="session_ends_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="session_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                condition=models.Q(("client_ref", ""), _negated=True),
                fields=("patient", "client_ref"),
                name="session_ref_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.sessions")),
                name="session_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source001.voice_sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source001.voice_sessions")),
                name="session_key_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.sessions")),
                name="session_key_3",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.Session", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.Session")),
                name="session_key_4",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source004.app.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source004.app.sessions")),
                name="session_key_5",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["patient", "-id"], name="message_patient"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["session", "id"], name="message_session"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["expires_at"], name="message_expiry"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["assistant", "patient", "staff"])), name="message_role_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="message_labels_known",
            ),
        ),
        migrations.AddIndex(
            model_name="emotionobservation",
            index=models.Index(fields=["patient", "-observed_at"], name="emotion_patient_time"),
        ),
        migrations.AddIndex(
            model_name="emotionobservation",
            index=models.Index(fields=["review_status", "-observed_at"], name="emotion_review"),
        ),
        migrations.AddIndex(
            model_name="emotionobservation",
            index=models.Index(fields=["message_id"], name="emotion_message"),
        ),
        migrations.AddIndex(
            model_name="emotionobservation",
            index=models.Index(fields=["session"], name="emotion_session"),
        ),
        migrations.AddIndex(
            model_name="emotionobservation",
            index=models.Index(fields=["expires_at"], name="emotion_expiry"),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("message_id__isnull", False), ("session__isnull", True)),
                    models.Q(("message_id__isnull", True), ("session__isnull", False)),
                    _connector="OR",
                ),
                name="emotion_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["clinician", "self_report", "text", "voice"])),
                name="emotion_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "label__in",
                        [
                            "",
                            "angry",
                            "anticipation",
                            "disgust",
                            "fear",
                            "happy",
                            "hopeless",
                            "neutral",
                            "numb",
                            "resigned",
                            "sad",
                            "surprise",
                            "trust",
                        ],
                    )
                ),
                name="emotion_label_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("source", "voice"), _negated=True),
                    (
                        "label__in",
                        [
                            "",
                            "happy",
                            "surprise",
                            "neutral",
                            "disgust",
                            "angry",
                            "fear",
                            "sad",
                            "numb",
                            "resigned",
                            "hopeless",
                        ],
                    ),
                    _connector="OR",
                ),
                name="emotion_voice_label_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("valence__gte", -1), ("valence__lte", 1)),
                        ("valence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("arousal__gte", -1), ("arousal__lte", 1)),
                        ("arousal__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="emotion_axes_1_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confidence__gte", 0), ("confidence__lte", 1)),
                    ("confidence__isnull", True),
                    _connector="OR",
                ),
                name="emotion_confidence_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("clinical_severity__in", ["", "mild", "minimal", "moderate", "severe"])),
                name="emotion_severity_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("review_status__in", ["confirmed", "corrected", "rejected", "unreviewed"])
                ),
                name="emotion_review_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "corrected_label__in",
                        [
                            "",
                            "angry",
                            "anticipation",
                            "disgust",
                            "fear",
                            "happy",
                            "hopeless",
                            "neutral",
                            "numb",
                            "resigned",
                            "sad",
                            "surprise",
                            "trust",
                        ],
                    )
                ),
                name="emotion_corrected_label_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("review_status", "corrected"), _negated=True),
                    models.Q(("corrected_label", ""), _negated=True),
                    _connector="OR",
                ),
                name="emotion_correction_has_label",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("review_status", "unreviewed"),
                    models.Q(("reviewed_at__isnull", False), ("reviewed_by__isnull", False)),
                    _connector="OR",
                ),
                name="emotion_review_has_a_reader",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionobservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="emotion_labels_known",
            ),
        ),
        migrations.AddIndex(
            model_name="sessionactivity",
            index=models.Index(fields=["patient", "-started_at"], name="activity_patient_time"),
        ),
        migrations.AddIndex(
            model_name="sessionactivity",
            index=models.Index(fields=["session", "started_at"], name="activity_session"),
        ),
        migrations.AddConstraint(
            model_name="sessionactivity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome_score__gte", 0), ("outcome_score__lte", 1)),
                    ("outcome_score__isnull", True),
                    _connector="OR",
                ),
                name="activity_outcome_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionactivity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("completed_at__isnull", True),
                    ("completed_at__gte", models.F("started_at")),
                    _connector="OR",
                ),
                name="activity_completed_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionactivity",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.session_activities", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.session_activities")),
                name="activity_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionactivity",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.Session", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.Session")),
                name="activity_key_2",
            ),
        ),
        migrations.AddIndex(
            model_name="sessionfeature",
            index=models.Index(fields=["patient", "-observed_at"], name="feature_patient_time"),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("voice_confidence__gte", 0), ("voice_confidence__lte", 1)),
                        ("voice_confidence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("text_confidence__gte", 0), ("text_confidence__lte", 1)),
                        ("text_confidence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("stated_confidence__gte", 0), ("stated_confidence__lte", 1)),
                        ("stated_confidence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("dissonance_score__gte", 0), ("dissonance_score__lte", 1)),
                        ("dissonance_score__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("pause_ratio__gte", 0), ("pause_ratio__lte", 1)),
                        ("pause_ratio__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="feature_shares_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("voice_valence__gte", -1), ("voice_valence__lte", 1)),
                        ("voice_valence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("text_valence__gte", -1), ("text_valence__lte", 1)),
                        ("text_valence__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("stated_valence__gte", -1), ("stated_valence__lte", 1)),
                        ("stated_valence__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="feature_valences_1_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dissonance_gap__gte", -2), ("dissonance_gap__lte", 2)),
                    ("dissonance_gap__isnull", True),
                    _connector="OR",
                ),
                name="feature_gap_2_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("speech_seconds__gte", 0), ("speech_seconds__lte", 86400)),
                    ("speech_seconds__isnull", True),
                    _connector="OR",
                ),
                name="feature_speech_seconds",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "voice_emotion__in",
                        [
                            "",
                            "angry",
                            "disgust",
                            "fear",
                            "happy",
                            "hopeless",
                            "neutral",
                            "numb",
                            "resigned",
                            "sad",
                            "surprise",
                        ],
                    )
                ),
                name="feature_voice_emotion_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "text_emotion__in",
                        [
                            "",
                            "angry",
                            "anticipation",
                            "disgust",
                            "fear",
                            "happy",
                            "hopeless",
                            "neutral",
                            "numb",
                            "resigned",
                            "sad",
                            "surprise",
                            "trust",
                        ],
                    )
                ),
                name="feature_text_emotion_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "stated_emotion__in",
                        [
                            "",
                            "angry",
                            "anticipation",
                            "disgust",
                            "fear",
                            "happy",
                            "hopeless",
                            "neutral",
                            "numb",
                            "resigned",
                            "sad",
                            "surprise",
                            "trust",
                        ],
                    )
                ),
                name="feature_stated_emotion_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("dissonance_type__in", ["", "amplification", "concealment", "congruent", "unknown"])
                ),
                name="feature_dissonance_known",
            ),
        ),
        migrations.AddIndex(
            model_name="sessionfeedback",
            index=models.Index(fields=["session", "given_at"], name="feedback_session"),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("satisfaction_raw__isnull", True),
                    models.Q(
                        ("satisfaction_raw__gte", 1), ("satisfaction_raw__lte", 5), ("satisfaction_scale", 5)
                    ),
                    _connector="OR",
                ),
                name="feedback_satisfaction_1_5",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effectiveness_raw__isnull", True),
                    models.Q(
                        ("effectiveness_raw__gte", 1),
                        ("effectiveness_raw__lte", models.F("effectiveness_scale")),
                    ),
                    _connector="OR",
                ),
                name="feedback_effectiveness_in_scale",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(("effectiveness_scale__in", [5, 10])), name="feedback_scale_5_or_10"
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(("author__in", ["patient", "staff"])), name="feedback_author_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.sessions")),
                name="feedback_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.sessions")),
                name="feedback_key_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionfeedback",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source002.session_feedback", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source002.session_feedback")),
                name="feedback_key_3",
            ),
        ),
        migrations.AddIndex(
            model_name="toolaction",
            index=models.Index(fields=["patient", "-started_at"], name="tool_patient_time"),
        ),
        migrations.AddConstraint(
            model_name="toolaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["cancelled", "failed", "started", "succeeded"])),
                name="tool_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="toolaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", True),
                    ("finished_at__gte", models.F("started_at")),
                    _connector="OR",
                ),
                name="tool_finished_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="toolaction",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source004.app.tool_actions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source004.app.tool_actions")),
                name="tool_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="voicesession",
            index=models.Index(
                condition=models.Q(("patterns_extracted", False)),
                fields=["received_at"],
                name="voice_unextracted",
            ),
        ),
        migrations.AddIndex(
            model_name="voicesession",
            index=models.Index(
                condition=models.Q(("purged_at__isnull", True)),
                fields=["delete_after"],
                name="voice_purge_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="voicesession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("patterns_extracted", False), ("extracted_at__isnull", False), _connector="OR"
                ),
                name="voice_extracted_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="voicesession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purged_at__isnull", True),
                    models.Q(("transcript_encrypted__isnull", True), ("voice_features__isnull", True)),
                    _connector="OR",
                ),
                name="voice_purged_is_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="voicesession",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source001.voice_sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source001.voice_sessions")),
                name="voice_key_1",
            ),
        ),
    ]
