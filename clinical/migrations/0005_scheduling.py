"""Appointments and their reminders, billing codes and lines, and schedules of measures."""

import datetime

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.fields.json
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import clinical.scheduling.models
import cortex.ids
from clinical.scheduling.billing.public import raw_codes
from cortex.access.rows import GuardRows


def install(apps, schema_editor):
    """Write the public billing numbers with labels of our own."""
    code = apps.get_model("clinical", "BillingCode")
    for raw in raw_codes():
        code.objects.get_or_create(
            code=raw["code"],
            jurisdiction=raw["jurisdiction"],
            active_from=raw["active_from"],
            organization=None,
            defaults=raw,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_second_factors"),
        ("clinical", "0004_plans"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # GiST compares ranges of every type; a uuid by itself only with an extension.
        migrations.RunSQL(
            "CREATE TYPE cortex_uuidrange AS RANGE (subtype = uuid)", "DROP TYPE cortex_uuidrange"
        ),
        migrations.CreateModel(
            name="Appointment",
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
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("session", "Session"),
                            ("intake", "First appointment"),
                            ("review", "Plan review"),
                            ("crisis", "Crisis session"),
                            ("family", "Family session"),
                            ("group", "Group"),
                        ],
                        default="session",
                        max_length=12,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("in_person", "In person"), ("video", "Video"), ("phone", "Phone")],
                        default="in_person",
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Planned"),
                            ("held", "Took place"),
                            ("no_show", "No-show"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="scheduled",
                        max_length=12,
                    ),
                ),
                (
                    "cancel_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person_asked", "The person asked"),
                            ("person_ill", "The person is ill"),
                            ("therapist_away", "The therapist is away"),
                            ("transport", "Transport or weather"),
                            ("care_ended", "Care has ended"),
                            ("mistake", "Made by mistake"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "series_id",
                    models.UUIDField(help_text="Shared by the appointments of one weekly series.", null=True),
                ),
                (
                    "moved_from",
                    models.DateTimeField(help_text="When it was to begin before the last move.", null=True),
                ),
                ("status_at", models.DateTimeField(help_text="When its present state was noted.", null=True)),
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
                        related_name="appointments",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        help_text="What it became.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.session",
                    ),
                ),
                (
                    "status_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "therapist",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["starts_at"],
                "indexes": [
                    models.Index(fields=["therapist", "starts_at"], name="appointment_therapist"),
                    models.Index(fields=["patient", "starts_at"], name="appointment_patient"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["crisis", "family", "group", "intake", "review", "session"])
                        ),
                        name="appointment_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["in_person", "phone", "video"])),
                        name="appointment_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["cancelled", "held", "no_show", "scheduled"])),
                        name="appointment_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "cancel_reason__in",
                                [
                                    "",
                                    "care_ended",
                                    "mistake",
                                    "person_asked",
                                    "person_ill",
                                    "therapist_away",
                                    "transport",
                                ],
                            )
                        ),
                        name="appointment_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__gt", models.F("starts_at")),
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("starts_at"),
                                    "+",
                                    models.Value(datetime.timedelta(seconds=28800)),
                                ),
                            ),
                        ),
                        name="appointment_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cancel_reason__gt", ""), ("status", "cancelled")),
                            models.Q(models.Q(("status", "cancelled"), _negated=True), ("cancel_reason", "")),
                            _connector="OR",
                        ),
                        name="appointment_cancelled_has_reason",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("status__in", ["scheduled", "held"])),
                        expressions=[
                            (
                                clinical.scheduling.models.Same(
                                    "therapist",
                                    "therapist",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(inclusive_upper=True),
                                ),
                                "&&",
                            ),
                            (
                                clinical.scheduling.models.Span(
                                    "starts_at",
                                    "ends_at",
                                    django.contrib.postgres.fields.ranges.RangeBoundary(),
                                ),
                                "&&",
                            ),
                        ],
                        name="appointment_therapist_once",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform("source000.appointments", "legacy_ids"),
                        condition=models.Q(("legacy_ids__has_key", "source000.appointments")),
                        name="appointment_key_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppointmentReminder",
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
                ("due_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("told", "Told"), ("overtaken", "No longer needed")],
                        max_length=12,
                    ),
                ),
                (
                    "may_text",
                    models.BooleanField(
                        help_text="Whether the person had agreed to messages when the therapist was told.",
                        null=True,
                    ),
                ),
                (
                    "appointment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder",
                        to="clinical.appointment",
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
                "ordering": ["due_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)), fields=["due_at"], name="reminder_due"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["", "overtaken", "told"])),
                        name="reminder_outcome_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("outcome", "")),
                            models.Q(("done_at__isnull", False), ("outcome__gt", "")),
                            _connector="OR",
                        ),
                        name="reminder_done_has_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingCode",
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
                ("code", models.CharField(max_length=16)),
                (
                    "system",
                    models.CharField(
                        choices=[("cpt", "CPT"), ("hcpcs", "HCPCS"), ("own", "Own tariff")], max_length=8
                    ),
                ),
                (
                    "own_label",
                    models.CharField(
                        help_text="In our own words: descriptors are their owner's.", max_length=80
                    ),
                ),
                (
                    "service",
                    models.CharField(
                        choices=[
                            ("psychotherapy", "Psychotherapy"),
                            ("intake", "Intake"),
                            ("intake_medical", "Intake with a medical part"),
                            ("crisis", "Crisis"),
                            ("family", "Family"),
                            ("family_apart", "Family without the person"),
                            ("group", "Group"),
                            ("multi_family", "Several families"),
                            ("measure", "Measures and testing"),
                            ("phone", "Telephone"),
                            ("collaborative", "Collaborative care"),
                            ("safety", "Safety planning and follow-up"),
                            ("em_addon", "With an E/M service"),
                            ("no_show", "Missed appointment"),
                        ],
                        max_length=16,
                    ),
                ),
                ("min_minutes", models.PositiveSmallIntegerField(default=0)),
                ("max_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "unit_minutes",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Counted once per so many minutes; empty: once.", null=True
                    ),
                ),
                ("is_addon", models.BooleanField(default=False)),
                (
                    "requires",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16),
                        blank=True,
                        default=list,
                        help_text="One of these on the same day.",
                        size=None,
                    ),
                ),
                ("active_from", models.DateField()),
                ("active_to", models.DateField(blank=True, null=True)),
                (
                    "jurisdiction",
                    models.CharField(blank=True, help_text="ISO 3166 code; empty: everywhere.", max_length=8),
                ),
                (
                    "amount_cents",
                    models.PositiveIntegerField(
                        blank=True, help_text="One's own tariff per unit.", null=True
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: offered to everybody in the jurisdiction.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["system", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("system__in", ["cpt", "hcpcs", "own"])),
                        name="billing_code_system_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "service__in",
                                [
                                    "collaborative",
                                    "crisis",
                                    "em_addon",
                                    "family",
                                    "family_apart",
                                    "group",
                                    "intake",
                                    "intake_medical",
                                    "measure",
                                    "multi_family",
                                    "no_show",
                                    "phone",
                                    "psychotherapy",
                                    "safety",
                                ],
                            )
                        ),
                        name="billing_code_service_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("max_minutes__isnull", True),
                            ("max_minutes__gte", models.F("min_minutes")),
                            _connector="OR",
                        ),
                        name="billing_code_minutes_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("active_to__isnull", True),
                            ("active_to__gte", models.F("active_from")),
                            _connector="OR",
                        ),
                        name="billing_code_days_in_order",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "code", "jurisdiction", "active_from"),
                        name="billing_code_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingLine",
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
                ("code", models.CharField(help_text="As it stood when the line was made.", max_length=16)),
                (
                    "system",
                    models.CharField(
                        choices=[("cpt", "CPT"), ("hcpcs", "HCPCS"), ("own", "Own tariff")], max_length=8
                    ),
                ),
                ("own_label", models.CharField(max_length=80)),
                ("service_date", models.DateField()),
                ("minutes", models.PositiveSmallIntegerField()),
                ("units", models.PositiveSmallIntegerField(default=1)),
                ("amount_cents", models.PositiveIntegerField(blank=True, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("confirmed", "Confirmed"), ("void", "Void")],
                        default="proposed",
                        max_length=12,
                    ),
                ),
                (
                    "warnings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "exported_at",
                    models.DateTimeField(help_text="When it was first taken out as a file.", null=True),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billing_lines",
                        to="clinical.appointment",
                    ),
                ),
                (
                    "billing_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinical.billingcode",
                    ),
                ),
                (
                    "decided_by",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
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
                        related_name="billing_lines",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-service_date", "-id"],
                "indexes": [models.Index(fields=["provider", "-service_date"], name="billing_line_provider")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["confirmed", "proposed", "void"])),
                        name="billing_line_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("system__in", ["cpt", "hcpcs", "own"])),
                        name="billing_line_system_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("units__gte", 1), ("units__lte", 96)),
                            ("units__isnull", True),
                            _connector="OR",
                        ),
                        name="billing_line_units_1_96",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("minutes__gte", 0), ("minutes__lte", 1440)),
                            ("minutes__isnull", True),
                            _connector="OR",
                        ),
                        name="billing_line_minutes_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("session__isnull", False), ("appointment__isnull", False), _connector="OR"
                        ),
                        name="billing_line_has_a_sitting",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "void"), _negated=True),
                        fields=("session", "code"),
                        name="billing_line_once_per_session",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "void"), _negated=True),
                        fields=("appointment", "code"),
                        name="billing_line_once_per_appointment",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform("source003.Session", "legacy_ids"),
                        condition=models.Q(("legacy_ids__has_key", "source003.Session")),
                        name="billing_line_key_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarPreference",
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
                ("timezone", models.CharField(max_length=64)),
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="InstrumentSwitch",
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
                ("is_offered", models.BooleanField()),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="switches",
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
            ],
            options={
                "verbose_name_plural": "instrument switches",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "instrument"), name="instrument_switch_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MeasureChase",
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
                ("key", models.CharField(max_length=16)),
                ("due_at", models.DateTimeField()),
                ("tasked_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
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
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("patient", "key", "due_at"), name="measure_chase_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MeasurePlan",
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
                    "key",
                    models.CharField(help_text="The instrument's key: it outlives versions.", max_length=16),
                ),
                ("interval_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("is_paused", models.BooleanField(default=False)),
                (
                    "paused_until",
                    models.DateField(blank=True, help_text="Empty: until somebody resumes it.", null=True),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("person_asked", "The person asked"),
                            ("burden", "Too much for now"),
                            ("closer", "Watched more closely"),
                            ("stable", "Stable for long"),
                            ("not_fitting", "The measure doesn't fit the person"),
                        ],
                        max_length=16,
                    ),
                ),
                ("set_at", models.DateTimeField()),
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
                    "set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("patient", "key"), name="measure_plan_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("interval_days__gte", 1), ("interval_days__lte", 365)),
                            ("interval_days__isnull", True),
                            _connector="OR",
                        ),
                        name="measure_plan_interval_1_365",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["burden", "closer", "not_fitting", "person_asked", "stable"])
                        ),
                        name="measure_plan_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_paused", True),
                            models.Q(("interval_days__isnull", False), ("paused_until__isnull", True)),
                            _connector="OR",
                        ),
                        name="measure_plan_says_something",
                    ),
                ],
            },
        ),
        GuardRows("Appointment"),
        GuardRows("AppointmentReminder"),
        GuardRows("CalendarPreference"),
        GuardRows("BillingCode", shared=True),
        GuardRows("BillingLine"),
        GuardRows("InstrumentSwitch"),
        GuardRows("MeasurePlan"),
        GuardRows("MeasureChase"),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
