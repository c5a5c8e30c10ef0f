"""Steps down from critical: one question at a time, another person reads it, rows by organization."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows


def _person(**more: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, **more
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("crisis", "0024_owed_contacts"),
        ("patients", "0013_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StepDown",
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
                ("asked_at", models.DateTimeField()),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="By when a second reader should decide; silence lowers nothing."
                    ),
                ),
                (
                    "findings",
                    models.JSONField(
                        default=dict, help_text="What held when it was asked, as codes and times."
                    ),
                ),
                ("reason", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("agreed", models.BooleanField(blank=True, null=True)),
                ("decision_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("asked_by", _person()),
                ("decided_by", _person(blank=True, null=True)),
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
                "verbose_name": "step down from critical",
                "verbose_name_plural": "steps down from critical",
            },
        ),
        migrations.AddIndex(
            model_name="stepdown",
            index=models.Index(fields=["patient", "-asked_at"], name="step_down_patient"),
        ),
        migrations.AddIndex(
            model_name="stepdown",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", True)),
                fields=["organization", "due_at"],
                name="step_down_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepdown",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decided_at__isnull", True)),
                fields=("patient",),
                name="step_down_one_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepdown",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="step_down_reader_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepdown",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("agreed__isnull", True), ("decided_at__isnull", True), ("decided_by__isnull", True)
                    ),
                    models.Q(("agreed__isnull", False), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="step_down_decided_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="stepdown",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agreed", True), _negated=True), ("decided_by__isnull", False), _connector="OR"
                ),
                name="step_down_agreed_by_somebody",
            ),
        ),
        GuardRows("StepDown"),
    ]
