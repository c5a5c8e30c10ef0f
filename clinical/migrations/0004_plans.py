"""Treatment plans, goals, reviews, diagnoses and medications, guarded by organization."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows
from cortex.audit.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_second_factors"),
        ("clinical", "0003_notes"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Diagnosis",
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
                ("code_system", models.CharField(default="icd10cm", max_length=12)),
                ("code", models.CharField(max_length=12)),
                (
                    "title",
                    models.CharField(help_text="The title of the code when it was recorded.", max_length=200),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("provisional", "Provisional"),
                            ("confirmed", "Confirmed"),
                            ("remission", "In remission"),
                            ("ruled_out", "Ruled out"),
                        ],
                        max_length=12,
                    ),
                ),
                ("onset", models.DateField(blank=True, null=True)),
                ("resolved_on", models.DateField(blank=True, null=True)),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, max_length=2000, null=True)),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
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
                        related_name="diagnoses",
                        to="patients.patient",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "diagnoses",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="DiagnosisFavourite",
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
                ("code", models.CharField(max_length=12)),
                ("hidden", models.BooleanField(default=False)),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Goal",
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
                ("specific", cortex.crypto.fields.SealedTextField(max_length=1000)),
                (
                    "measure_type",
                    models.CharField(
                        choices=[
                            ("numeric", "A number"),
                            ("milestone", "Milestones"),
                            ("frequency", "How often"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "metric",
                    cortex.crypto.fields.SealedCharField(
                        blank=True,
                        help_text="What is counted, without an instrument.",
                        max_length=120,
                        null=True,
                    ),
                ),
                ("baseline", models.FloatField(blank=True, null=True)),
                ("target", models.FloatField(blank=True, null=True)),
                (
                    "direction",
                    models.CharField(
                        blank=True,
                        choices=[("lower", "Lower is better"), ("higher", "Higher is better")],
                        max_length=8,
                    ),
                ),
                ("current", models.FloatField(blank=True, null=True)),
                ("window_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("achievable_note", cortex.crypto.fields.SealedTextField(max_length=1000)),
                (
                    "concerns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, default=list, size=None
                    ),
                ),
                ("starts_on", models.DateField()),
                ("due_date", models.DateField()),
                ("weight", models.PositiveSmallIntegerField(default=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("active", "Active"),
                            ("achieved", "Achieved"),
                            ("partially_achieved", "Partially achieved"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="proposed",
                        max_length=20,
                    ),
                ),
                (
                    "diagnosis",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinical.diagnosis",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinical.instrument",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
            ],
            options={
                "ordering": ["-weight", "due_date", "pk"],
            },
        ),
        migrations.CreateModel(
            name="GoalProgress",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("reading", "A reading"),
                            ("milestone", "A milestone"),
                            ("count", "Times done"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "title",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, help_text="What the milestone is.", max_length=200, null=True
                    ),
                ),
                ("weight", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                (
                    "value",
                    models.FloatField(blank=True, help_text="The reading, or how many times.", null=True),
                ),
                (
                    "observed_on",
                    models.DateField(
                        blank=True, help_text="Empty: a milestone that is not reached.", null=True
                    ),
                ),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, max_length=1000, null=True)),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "goal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progress",
                        to="clinical.goal",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Medication",
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
                ("name", cortex.crypto.fields.SealedCharField(max_length=160)),
                ("code_system", models.CharField(blank=True, max_length=8)),
                ("code", models.CharField(blank=True, max_length=16)),
                ("dose", cortex.crypto.fields.SealedCharField(blank=True, max_length=40, null=True)),
                ("unit", models.CharField(blank=True, max_length=16)),
                ("route", models.CharField(blank=True, max_length=16)),
                ("frequency", cortex.crypto.fields.SealedCharField(blank=True, max_length=80, null=True)),
                ("prn", models.BooleanField(default=False, help_text="Taken when needed.")),
                ("start", models.DateField(blank=True, null=True)),
                ("stop", models.DateField(blank=True, null=True)),
                ("prescriber", cortex.crypto.fields.SealedCharField(blank=True, max_length=160, null=True)),
                ("indication", cortex.crypto.fields.SealedCharField(blank=True, max_length=200, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Taken now"), ("on_hold", "Paused"), ("stopped", "Stopped")],
                        default="active",
                        max_length=8,
                    ),
                ),
                (
                    "adherence",
                    models.CharField(
                        choices=[
                            ("unknown", "Not asked"),
                            ("as_agreed", "As agreed"),
                            ("partly", "Partly"),
                            ("not_taken", "Not taken"),
                        ],
                        default="unknown",
                        max_length=12,
                    ),
                ),
                (
                    "side_effects",
                    cortex.crypto.fields.SealedTextField(blank=True, max_length=2000, null=True),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("prescribed", "Prescribed"), ("self_reported", "Self-reported")],
                        max_length=16,
                    ),
                ),
                (
                    "lethal_quantity",
                    models.BooleanField(
                        default=False,
                        help_text="Dangerous in overdose: feeds the means-safety prompt, never the score.",
                    ),
                ),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
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
                        related_name="medications",
                        to="patients.patient",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="PlanVersion",
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
                ("version", models.PositiveSmallIntegerField()),
                ("content", cortex.crypto.fields.SealedJSONField(help_text="The plan as it was signed.")),
                ("content_hash", models.BinaryField(help_text="HMAC of the content with the person's key.")),
                ("signed_at", models.DateTimeField()),
                ("patient_agreed", models.BooleanField(default=False)),
                ("consented_at", models.DateTimeField(blank=True, null=True)),
                ("needs_approval", models.BooleanField(default=False)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-version"],
            },
        ),
        migrations.CreateModel(
            name="PlanApproval",
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
                ("approved", models.BooleanField()),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, max_length=2000, null=True)),
                ("decided_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "plan_version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approval",
                        to="clinical.planversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-decided_at"],
            },
        ),
        migrations.CreateModel(
            name="TreatmentPlan",
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
                    "version",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="The version being written or in force."
                    ),
                ),
                (
                    "signed_version",
                    models.PositiveSmallIntegerField(help_text="The newest that was signed.", null=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("active", "Active"),
                            ("on_hold", "On hold"),
                            ("completed", "Completed"),
                            ("discontinued", "Discontinued"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("start", models.DateField()),
                ("target_end", models.DateField()),
                ("presenting_problem", cortex.crypto.fields.SealedTextField(max_length=4000)),
                ("formulation", cortex.crypto.fields.SealedTextField(blank=True, max_length=8000, null=True)),
                (
                    "risk_level",
                    models.CharField(
                        blank=True, help_text="The level on record when last saved.", max_length=8
                    ),
                ),
                ("review_interval_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("next_review_at", models.DateTimeField(blank=True, null=True)),
                ("patient_agreed", models.BooleanField(default=False)),
                ("consented_at", models.DateTimeField(blank=True, null=True)),
                ("signed_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "authored_by",
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
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["-start"],
            },
        ),
        migrations.AddField(
            model_name="planversion",
            name="plan",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="clinical.treatmentplan",
            ),
        ),
        migrations.CreateModel(
            name="PlanReview",
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
                ("plan_version", models.PositiveSmallIntegerField()),
                ("due_at", models.DateTimeField()),
                ("held_at", models.DateTimeField()),
                ("progress", models.FloatField(help_text="The plan's share, 0 to 1.", null=True)),
                ("pace", models.CharField(blank=True, max_length=12)),
                ("goals", models.JSONField(default=list, help_text="[{goal, share, pace}]")),
                ("measures", models.JSONField(default=dict, help_text="{instrument: total}")),
                ("risk_level", models.CharField(blank=True, max_length=8)),
                (
                    "consent_valid",
                    models.BooleanField(help_text="Whether the consent to treatment still holds."),
                ),
                ("patient_view", cortex.crypto.fields.SealedTextField(max_length=4000)),
                ("summary", cortex.crypto.fields.SealedTextField(blank=True, max_length=4000, null=True)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("continue", "Go on as planned"),
                            ("change", "Change the plan"),
                            ("step_up", "Step up: more care"),
                            ("step_down", "Step down: less care"),
                            ("discharge", "End treatment"),
                        ],
                        max_length=12,
                    ),
                ),
                ("next_review_at", models.DateTimeField(null=True)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="clinical.treatmentplan",
                    ),
                ),
            ],
            options={
                "ordering": ["-held_at"],
            },
        ),
        migrations.CreateModel(
            name="PlannedIntervention",
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
                    "code",
                    models.CharField(
                        choices=[
                            ("CBT", "Cognitive behavioural therapy"),
                            ("BEHAVIOURAL_ACTIVATION", "Behavioural activation"),
                            ("PROBLEM_SOLVING_THERAPY", "Problem-solving therapy, PM+"),
                            ("IPT", "Interpersonal therapy"),
                            ("DBT_SKILLS", "DBT skills"),
                            ("CBT_SP", "CBT for suicide prevention"),
                            ("SAFETY_PLANNING", "Safety planning"),
                            ("MEANS_SAFETY", "Means safety"),
                            ("MBCT", "Mindfulness-based cognitive therapy"),
                            ("ACT", "Acceptance and commitment therapy"),
                            ("EMDR", "EMDR"),
                            ("TF_CBT", "Trauma-focused CBT"),
                            ("PROLONGED_EXPOSURE", "Prolonged exposure"),
                            ("ERP", "Exposure and response prevention"),
                            ("CBT_I", "CBT for insomnia"),
                            ("MOTIVATIONAL_INTERVIEWING", "Motivational interviewing"),
                            ("FAMILY_THERAPY", "Family therapy"),
                            ("COUPLE_THERAPY", "Couple therapy"),
                            ("GROUP", "Group therapy"),
                            ("PSYCHOEDUCATION", "Psychoeducation"),
                            ("PEER_SUPPORT", "Peer support"),
                            ("SOCIAL_PRESCRIBING", "Social prescribing"),
                            ("PHARMACOTHERAPY", "Pharmacotherapy"),
                            ("CASE_MANAGEMENT", "Case management"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("daily", "Daily"),
                            ("twice_weekly", "Twice a week"),
                            ("weekly", "Weekly"),
                            ("fortnightly", "Every two weeks"),
                            ("monthly", "Monthly"),
                            ("as_needed", "As needed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("sessions_planned", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("sessions_held", models.PositiveSmallIntegerField(default=0)),
                (
                    "evidence_level",
                    models.CharField(
                        choices=[
                            ("A", "A: several good trials"),
                            ("B", "B: some trials"),
                            ("C", "C: weaker studies"),
                            ("D", "D: expert opinion"),
                        ],
                        max_length=1,
                    ),
                ),
                (
                    "goals",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        blank=True,
                        default=list,
                        help_text="Goals of the same plan.",
                        size=None,
                    ),
                ),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, max_length=1000, null=True)),
                ("ended_on", models.DateField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interventions",
                        to="clinical.treatmentplan",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="goal",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="goals", to="clinical.treatmentplan"
            ),
        ),
        migrations.AddIndex(
            model_name="diagnosis",
            index=models.Index(fields=["patient", "status"], name="diagnosis_patient"),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["confirmed", "provisional", "remission", "ruled_out"])),
                name="diagnosis_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.CheckConstraint(
                condition=models.Q(("code_system__in", ["icd10", "icd10cm", "icd11"])),
                name="diagnosis_system_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="diagnosis_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_on__isnull", True), ("resolved_on__gte", models.F("onset")), _connector="OR"
                ),
                name="diagnosis_resolved_not_before_onset",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ruled_out"), _negated=True),
                fields=("patient", "code_system", "code"),
                name="diagnosis_code_once_while_it_stands",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="diagnosis_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="diagnosisfavourite",
            constraint=models.UniqueConstraint(fields=("user", "code"), name="favourite_once"),
        ),
        migrations.AddIndex(
            model_name="goalprogress",
            index=models.Index(fields=["goal", "-observed_on"], name="progress_goal"),
        ),
        migrations.AddConstraint(
            model_name="goalprogress",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["count", "milestone", "reading"])),
                name="progress_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="goalprogress",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("weight__gte", 1), ("weight__lte", 5)),
                    ("weight__isnull", True),
                    _connector="OR",
                ),
                name="progress_weight_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="goalprogress",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "milestone"), ("value__isnull", True), ("weight__isnull", False)),
                    models.Q(("kind", "reading"), ("observed_on__isnull", False), ("value__isnull", False)),
                    models.Q(("kind", "count"), ("observed_on__isnull", False), ("value__gt", 0)),
                    _connector="OR",
                ),
                name="progress_fits_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="goalprogress",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="progress_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="medication",
            index=models.Index(fields=["patient", "status"], name="medication_patient"),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "on_hold", "stopped"])),
                name="medication_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("adherence__in", ["as_agreed", "not_taken", "partly", "unknown"])),
                name="medication_adherence_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["prescribed", "self_reported"])),
                name="medication_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("code_system__in", ["", "atc", "rxnorm"])), name="medication_system_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="medication_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("stop__isnull", True), ("stop__gte", models.F("start")), _connector="OR"),
                name="medication_stops_not_before_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code", ""), ("code_system", "")),
                    models.Q(
                        models.Q(("code_system", ""), _negated=True), models.Q(("code", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="medication_code_has_a_system",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="medication_key_1",
            ),
        ),
        migrations.AddIndex(
            model_name="treatmentplan",
            index=models.Index(fields=["patient", "-start"], name="plan_patient"),
        ),
        migrations.AddIndex(
            model_name="treatmentplan",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "on_hold"])),
                fields=["organization", "next_review_at"],
                name="plan_reviews",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["active", "completed", "discontinued", "draft", "on_hold"])
                ),
                name="plan_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("risk_level__in", ["", "critical", "high", "low", "medium"])),
                name="plan_level_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("review_interval_days__gte", 1), ("review_interval_days__lte", 180)),
                    ("review_interval_days__isnull", True),
                    _connector="OR",
                ),
                name="plan_interval_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("target_end__gt", models.F("start"))), name="plan_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("consented_at__isnull", False), ("patient_agreed", True)),
                    models.Q(("consented_at__isnull", True), ("patient_agreed", False)),
                    _connector="OR",
                ),
                name="plan_agreement_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "discontinued"]),
                    ("signed_version__isnull", False),
                    _connector="OR",
                ),
                name="plan_in_force_was_signed",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_at__isnull", True), ("signed_version", models.F("version")), _connector="OR"
                ),
                name="plan_signature_is_of_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("status__in", ("draft", "active", "on_hold"))),
                    models.Q(("ended_at__isnull", False), ("status__in", ["completed", "discontinued"])),
                    _connector="OR",
                ),
                name="plan_end_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")),
                fields=("patient",),
                name="plan_one_active_per_patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("draft", "active", "on_hold"))),
                fields=("patient",),
                name="plan_one_open_per_patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="treatmentplan",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="plan_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(fields=("plan", "version"), name="plan_version_once"),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("consented_at__isnull", False), ("patient_agreed", True)),
                    models.Q(("consented_at__isnull", True), ("patient_agreed", False)),
                    _connector="OR",
                ),
                name="plan_version_agreement_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_at__isnull", True), ("signed_at__gte", models.F("consented_at")), _connector="OR"
                ),
                name="plan_version_agreed_before_signing",
            ),
        ),
        migrations.AddIndex(
            model_name="planreview",
            index=models.Index(fields=["plan", "-held_at"], name="review_plan"),
        ),
        migrations.AddConstraint(
            model_name="planreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decision__in", ["change", "continue", "discharge", "step_down", "step_up"])
                ),
                name="review_decision_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="planreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("progress__gte", 0), ("progress__lte", 1)),
                    ("progress__isnull", True),
                    _connector="OR",
                ),
                name="review_progress_is_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="planreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decision", "discharge"), ("next_review_at__isnull", True)),
                    models.Q(
                        models.Q(("decision", "discharge"), _negated=True), ("next_review_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="review_has_a_next_unless_discharged",
            ),
        ),
        migrations.AddConstraint(
            model_name="planreview",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="review_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "code__in",
                        [
                            "ACT",
                            "BEHAVIOURAL_ACTIVATION",
                            "CASE_MANAGEMENT",
                            "CBT",
                            "CBT_I",
                            "CBT_SP",
                            "COUPLE_THERAPY",
                            "DBT_SKILLS",
                            "EMDR",
                            "ERP",
                            "FAMILY_THERAPY",
                            "GROUP",
                            "IPT",
                            "MBCT",
                            "MEANS_SAFETY",
                            "MOTIVATIONAL_INTERVIEWING",
                            "PEER_SUPPORT",
                            "PHARMACOTHERAPY",
                            "PROBLEM_SOLVING_THERAPY",
                            "PROLONGED_EXPOSURE",
                            "PSYCHOEDUCATION",
                            "SAFETY_PLANNING",
                            "SOCIAL_PRESCRIBING",
                            "TF_CBT",
                        ],
                    )
                ),
                name="intervention_code_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "frequency__in",
                        ["as_needed", "daily", "fortnightly", "monthly", "twice_weekly", "weekly"],
                    )
                ),
                name="intervention_frequency_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(("evidence_level__in", ["A", "B", "C", "D"])),
                name="intervention_evidence_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sessions_planned__gte", 1), ("sessions_planned__lte", 200)),
                    ("sessions_planned__isnull", True),
                    _connector="OR",
                ),
                name="intervention_planned_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_on__isnull", True)),
                fields=("plan", "code"),
                name="intervention_once_per_plan",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedintervention",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="intervention_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(("measure_type__in", ["frequency", "milestone", "numeric"])),
                name="goal_measure_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["achieved", "active", "cancelled", "partially_achieved", "proposed"])
                ),
                name="goal_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ["", "higher", "lower"])), name="goal_direction_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("weight__gte", 1), ("weight__lte", 5)),
                    ("weight__isnull", True),
                    _connector="OR",
                ),
                name="goal_weight_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("window_days__gte", 1), ("window_days__lte", 90)),
                    ("window_days__isnull", True),
                    _connector="OR",
                ),
                name="goal_window_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("target__isnull", True),
                    ("baseline__isnull", True),
                    models.Q(("target", models.F("baseline")), _negated=True),
                    _connector="OR",
                ),
                name="goal_target_is_not_baseline",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("measure_type", "numeric"), _negated=True),
                    models.Q(("direction", "lower"), ("target__lt", models.F("baseline"))),
                    models.Q(("direction", "higher"), ("target__gt", models.F("baseline"))),
                    _connector="OR",
                ),
                name="goal_number_has_a_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("measure_type", "frequency"), _negated=True),
                    models.Q(("target__gt", 0), ("window_days__isnull", False)),
                    _connector="OR",
                ),
                name="goal_frequency_has_a_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("diagnosis__isnull", False), models.Q(("concerns", []), _negated=True), _connector="OR"
                ),
                name="goal_serves_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "concerns__contained_by",
                        [
                            "depression",
                            "anxiety",
                            "anger",
                            "sleep",
                            "suicidality",
                            "substance",
                            "trauma",
                            "grief",
                            "relationship",
                            "work_study",
                        ],
                    )
                ),
                name="goal_concerns_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.CheckConstraint(
                condition=models.Q(("due_date__gt", models.F("starts_on"))), name="goal_due_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.user_goals", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.user_goals")),
                name="goal_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="goal",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.TreatmentPlan", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                name="goal_key_2",
            ),
        ),
        GuardRows("TreatmentPlan"),
        GuardRows("Goal"),
        GuardRows("GoalProgress"),
        GuardRows("PlannedIntervention"),
        GuardRows("PlanVersion"),
        GuardRows("PlanApproval"),
        GuardRows("PlanReview"),
        GuardRows("Medication"),
        GuardRows("Diagnosis"),
        GuardRows("DiagnosisFavourite"),
        AppendOnly("PlanVersion", erasable=True),
        AppendOnly("PlanApproval", erasable=True),
        AppendOnly("PlanReview", erasable=True),
    ]
