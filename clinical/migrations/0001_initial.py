"""Instruments, answers under way and administrations, guarded by organization and written once."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.ids
from clinical.assessments.definitions import raw_packaged, raw_texts
from cortex.access.rows import GuardRows
from cortex.audit.operations import AppendOnly


def install(apps, schema_editor):
    """Write the packaged instruments and the texts that may be given away."""
    instrument = apps.get_model("clinical", "Instrument")
    text = apps.get_model("clinical", "InstrumentText")
    rows = {}
    for raw in raw_packaged():
        rows[raw["key"], raw["version"]], _ = instrument.objects.get_or_create(
            key=raw["key"],
            version=raw["version"],
            defaults={
                "title": raw["title"],
                "definition": raw,
                "licence": raw["licence"],
                "credit": raw["credit"],
                "is_enabled": raw["is_enabled"],
            },
        )
    for raw in raw_texts():
        text.objects.get_or_create(
            instrument=rows[raw["instrument"], raw["version"]],
            language=raw["language"],
            defaults={"texts": raw, "source": raw["source"], "notice": raw["notice"]},
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0006_second_factors"),
        ("access", "0001_roles"),
        ("audit", "0001_initial"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Instrument",
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
                ("version", models.CharField(max_length=16)),
                ("title", models.CharField(max_length=64)),
                ("definition", models.JSONField()),
                ("licence", models.CharField(blank=True, max_length=240)),
                ("credit", models.CharField(blank=True, max_length=240)),
                (
                    "is_enabled",
                    models.BooleanField(
                        default=False, help_text="Whether it is offered; needs a text to be asked."
                    ),
                ),
            ],
            options={
                "ordering": ["key", "version"],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "version"), name="instrument_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_enabled", True)),
                        fields=("key",),
                        name="instrument_one_version_enabled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssessmentDraft",
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
                ("language", models.CharField(max_length=16)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("self", "By the person"),
                            ("interviewer", "Asked by staff"),
                            ("phone", "Asked by telephone"),
                            ("paper", "Entered from paper"),
                        ],
                        max_length=12,
                    ),
                ),
                ("items", models.JSONField(default=dict, help_text="{key: value}")),
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
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinical.instrument",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("patient", "instrument"), name="draft_once_per_instrument"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Assessment",
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
                ("language", models.CharField(max_length=16)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("self", "By the person"),
                            ("interviewer", "Asked by staff"),
                            ("phone", "Asked by telephone"),
                            ("paper", "Entered from paper"),
                        ],
                        max_length=12,
                    ),
                ),
                ("administered_at", models.DateTimeField()),
                ("items", models.JSONField(help_text="{key: value or null}")),
                ("total", models.PositiveSmallIntegerField(null=True)),
                ("band", models.CharField(blank=True, max_length=24)),
                ("prorated", models.BooleanField(default=False)),
                ("is_valid", models.BooleanField()),
                (
                    "flags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), blank=True, default=list, size=None
                    ),
                ),
                ("scored_by_version", models.CharField(max_length=16)),
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
                (
                    "administered_by",
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
                        related_name="assessments",
                        to="patients.patient",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.session",
                    ),
                ),
                (
                    "supersedes",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="superseded_by",
                        to="clinical.assessment",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessments",
                        to="clinical.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ["-administered_at"],
                "indexes": [
                    models.Index(fields=["patient", "-administered_at"], name="assessment_patient"),
                    models.Index(fields=["instrument", "-administered_at"], name="assessment_instrument"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["interviewer", "paper", "phone", "self"])),
                        name="assessment_mode_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_valid", False), ("total__isnull", False), _connector="OR"),
                        name="assessment_valid_has_total",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform("source000.assessments", "legacy_ids"),
                        condition=models.Q(("legacy_ids__has_key", "source000.assessments")),
                        name="assessment_key_1",
                    ),
                    models.UniqueConstraint(
                        django.db.models.fields.json.KeyTextTransform(
                            "source003.TreatmentPlan", "legacy_ids"
                        ),
                        condition=models.Q(("legacy_ids__has_key", "source003.TreatmentPlan")),
                        name="assessment_key_2",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InstrumentText",
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
                ("language", models.CharField(max_length=16)),
                (
                    "texts",
                    models.JSONField(
                        help_text="{stem, items: {key: text}, answers: {value: text}, item_answers}"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=240)),
                ("notice", models.TextField(blank=True, help_text="Stands under every rendering.")),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="texts",
                        to="clinical.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ["instrument", "language"],
                "constraints": [
                    models.UniqueConstraint(fields=("instrument", "language"), name="instrument_text_once")
                ],
            },
        ),
        GuardRows("AssessmentDraft"),
        GuardRows("Assessment"),
        AppendOnly("Assessment", erasable=True),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
