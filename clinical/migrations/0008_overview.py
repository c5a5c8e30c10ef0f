"""Kept views of a caseload, pins of timelines, and words on machine findings, guarded by organization."""

import django.db.models.deletion
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
        ("clinical", "0006_sessions"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseView",
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
                ("name", cortex.crypto.fields.SealedCharField(max_length=60)),
                (
                    "filters",
                    models.JSONField(help_text="{view, level, place, session}: codes, as in the address."),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "caseload view",
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="FindingReview",
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
                    "kind",
                    models.CharField(choices=[("evidence", "Signal"), ("level", "Level")], max_length=10),
                ),
                ("finding_id", models.UUIDField(help_text="Bare: the finding may leave by its own rule.")),
                ("code", models.CharField(help_text="What was found, as a code.", max_length=40)),
                (
                    "said_by",
                    models.CharField(help_text="Engine, lexicon or model with its version.", max_length=80),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("commented", "Commented"),
                        ],
                        max_length=10,
                    ),
                ),
                ("comment", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("reviewed_at", models.DateTimeField()),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "finding review",
                "ordering": ["-reviewed_at", "-id"],
                "indexes": [
                    models.Index(fields=["patient", "finding_id", "-reviewed_at"], name="finding_patient"),
                    models.Index(fields=["said_by", "verdict"], name="finding_said_by"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["evidence", "level"])), name="finding_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["accepted", "commented", "rejected"])),
                        name="finding_verdict_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verdict", "commented"), _negated=True),
                            ("comment__isnull", False),
                            _connector="OR",
                        ),
                        name="finding_comment_has_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TimelinePin",
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
                ("source", models.CharField(help_text="The key of the timeline's source.", max_length=24)),
                ("item_id", models.UUIDField(help_text="Bare: the entry may leave by its own rule.")),
                ("pinned_at", models.DateTimeField()),
                ("unpinned_at", models.DateTimeField(blank=True, null=True)),
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
                    "pinned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unpinned_by",
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
                "verbose_name": "timeline pin",
                "ordering": ["-pinned_at"],
                "indexes": [models.Index(fields=["patient", "-pinned_at"], name="pin_patient")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("unpinned_at__isnull", True)),
                        fields=("patient", "source", "item_id"),
                        name="pin_once_while_it_holds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unpinned_at__isnull", True), ("unpinned_by__isnull", True)),
                            models.Q(("unpinned_at__isnull", False), ("unpinned_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="pin_end_has_a_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("unpinned_at__isnull", True),
                            ("unpinned_at__gte", models.F("pinned_at")),
                            _connector="OR",
                        ),
                        name="pin_ends_not_before_start",
                    ),
                ],
            },
        ),
        GuardRows("CaseView"),
        GuardRows("TimelinePin"),
        GuardRows("FindingReview"),
        AppendOnly("FindingReview", erasable=True),
    ]
