"""The table of the key store."""

import django.db.models.functions.datetime
from django.db import migrations, models

import cortex.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.UUIDField(help_text="Bare id of the patient or organization.")),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "wrapped",
                    models.BinaryField(help_text="Under the master key; empty once destroyed.", null=True),
                ),
                ("master_key_id", models.CharField(blank=True, max_length=200)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("patient", "Patient"), ("organization", "Organization")],
                        default="patient",
                        max_length=16,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "wanted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When a writer last asked for it to exist.",
                    ),
                ),
                (
                    "rotated_at",
                    models.DateTimeField(blank=True, help_text="When a newer version took over.", null=True),
                ),
                ("destroyed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "confirmed_at",
                    models.DateTimeField(blank=True, help_text="When its subject was seen.", null=True),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("confirmed_at", None)),
                        fields=["wanted_at"],
                        name="subject_key_unconfirmed",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "version"), name="subject_key_version"),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1), ("version__lte", 65535)),
                        name="subject_key_version_16_bits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destroyed_at", None), ("wrapped__isnull", False)),
                            models.Q(("destroyed_at__isnull", False), ("wrapped", None)),
                            _connector="OR",
                        ),
                        name="subject_key_destroyed_is_gone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["patient", "organization"])),
                        name="subject_key_purpose_known",
                    ),
                ],
            },
        ),
    ]
