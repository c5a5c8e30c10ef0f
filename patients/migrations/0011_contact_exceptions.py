"""Emergency contacts that were opened without consent, in imminent danger."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("patients", "0010_ways"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactException",
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
                ("alert_id", models.UUIDField(help_text="The alert that its user had.")),
                ("level", models.CharField(help_text="The alert's level then.", max_length=8)),
                ("reason", cortex.crypto.fields.SealedTextField(max_length=2000)),
                ("opened_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("review_due_at", models.DateTimeField()),
                ("reviewed_at", models.DateTimeField(null=True)),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
                "indexes": [
                    models.Index(fields=["patient", "user", "-ends_at"], name="contact_exception_runs"),
                    models.Index(
                        condition=models.Q(("reviewed_at__isnull", True)),
                        fields=["organization", "review_due_at"],
                        name="contact_exception_to_read",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["critical", "high"])),
                        name="contact_exception_in_danger",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__gt", models.F("opened_at")),
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("opened_at"),
                                    "+",
                                    models.Value(datetime.timedelta(seconds=14400)),
                                ),
                            ),
                        ),
                        name="contact_exception_ends_soon",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reviewed_at__isnull", True), ("reviewed_by__isnull", True)),
                            models.Q(("reviewed_at__isnull", False), ("reviewed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="contact_exception_review_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_by__isnull", True),
                            models.Q(("reviewed_by", models.F("user")), _negated=True),
                            _connector="OR",
                        ),
                        name="contact_exception_read_by_another",
                    ),
                ],
            },
        ),
        GuardRows("ContactException"),
    ]
