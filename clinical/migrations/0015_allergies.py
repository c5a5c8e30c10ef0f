"""Allergies and intolerances of a chart, guarded by organization."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("clinical", "0014_addenda_rule_proven"),
        ("patients", "0011_contact_exceptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Allergy",
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
                    "none_known",
                    models.BooleanField(default=False, help_text="Says that no allergy is known."),
                ),
                ("substance", cortex.crypto.fields.SealedCharField(blank=True, max_length=160, null=True)),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("allergy", "Allergy"),
                            ("intolerance", "Intolerance"),
                            ("adverse-reaction", "Adverse reaction"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("medication", "Medication"),
                            ("food", "Food"),
                            ("environment", "Environment"),
                            ("biologic", "Vaccine or blood product"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "criticality",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("low", "Low"),
                            ("high", "High: life or an organ may be in danger"),
                            ("unable-to-assess", "Can't be said yet"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "clinical_status",
                    models.CharField(
                        choices=[("active", "Active"), ("inactive", "Inactive"), ("resolved", "Resolved")],
                        default="active",
                        max_length=8,
                    ),
                ),
                (
                    "verification",
                    models.CharField(
                        choices=[
                            ("unconfirmed", "Unconfirmed"),
                            ("confirmed", "Confirmed"),
                            ("refuted", "Refuted"),
                            ("entered-in-error", "Entered in error"),
                        ],
                        default="unconfirmed",
                        max_length=16,
                    ),
                ),
                (
                    "verification_before",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unconfirmed", "Unconfirmed"),
                            ("confirmed", "Confirmed"),
                            ("refuted", "Refuted"),
                        ],
                        help_text="What it was when it was marked as entered in error; undoing gives it back.",
                        max_length=16,
                    ),
                ),
                ("reaction", cortex.crypto.fields.SealedTextField(blank=True, max_length=2000, null=True)),
                ("since", models.DateField(blank=True, null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("person", "The person"),
                            ("doctor", "A doctor"),
                            ("document", "A document"),
                        ],
                        max_length=8,
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
                        related_name="allergies",
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
                "verbose_name_plural": "allergies",
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["patient"], name="allergy_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("clinical_status__in", ["active", "inactive", "resolved"])),
                        name="allergy_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("verification__in", ["confirmed", "entered-in-error", "refuted", "unconfirmed"])
                        ),
                        name="allergy_verification_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["doctor", "document", "person"])),
                        name="allergy_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("category", ""),
                                ("criticality", ""),
                                ("kind", ""),
                                ("none_known", True),
                                ("substance__isnull", True),
                            ),
                            models.Q(
                                ("none_known", False),
                                ("substance__isnull", False),
                                ("kind__in", ["adverse-reaction", "allergy", "intolerance"]),
                                ("category__in", ["biologic", "environment", "food", "medication"]),
                                ("criticality__in", ["high", "low", "unable-to-assess"]),
                            ),
                            _connector="OR",
                        ),
                        name="allergy_is_something_or_none",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("verification", "entered-in-error"),
                                ("verification_before__in", ["confirmed", "refuted", "unconfirmed"]),
                            ),
                            models.Q(
                                models.Q(("verification", "entered-in-error"), _negated=True),
                                ("verification_before", ""),
                            ),
                            _connector="OR",
                        ),
                        name="allergy_error_knows_what_was",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("clinical_status", "active"),
                            ("none_known", True),
                            models.Q(("verification", "entered-in-error"), _negated=True),
                        ),
                        fields=("patient",),
                        name="allergy_none_known_once",
                    ),
                ],
            },
        ),
        GuardRows("Allergy"),
    ]
