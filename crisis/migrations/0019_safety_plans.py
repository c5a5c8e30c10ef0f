"""Safety plans in versions: rows by organization, lines and reviews written once."""

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
        ("accounts", "0007_trainees"),
        ("crisis", "0018_attempt_confirmed_index"),
        ("patients", "0011_contact_exceptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SafetyPlan",
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
                        blank=True, help_text="Empty: never finished.", null=True
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("current", "In force"),
                            ("superseded", "Replaced"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                (
                    "revision",
                    models.PositiveIntegerField(default=1, help_text="Counts the saves of the draft."),
                ),
                (
                    "draft",
                    cortex.crypto.fields.SealedJSONField(
                        blank=True, help_text="The lines by section, until it is finished.", null=True
                    ),
                ),
                ("created_with_patient", models.BooleanField(default=False)),
                (
                    "is_complete",
                    models.BooleanField(default=False, help_text="As it was finished (domain 3.3)."),
                ),
                (
                    "means_review_on",
                    models.DateField(blank=True, help_text="When step 6 is looked at again.", null=True),
                ),
                ("saved_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("next_review_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, help_text="When it was replaced or retired.", null=True),
                ),
                ("retire_reason", models.CharField(blank=True, max_length=12)),
                (
                    "authored_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ended_by",
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
                        related_name="+",
                        to="patients.patient",
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
                    "supersedes",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crisis.safetyplan",
                    ),
                ),
            ],
            options={
                "verbose_name": "safety plan",
                "ordering": ["-version"],
            },
        ),
        migrations.CreateModel(
            name="SafetyPlanItem",
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
                    "section",
                    models.CharField(
                        choices=[
                            ("warning_signs", "Warning signs"),
                            ("self_coping", "What they can do alone"),
                            ("distraction_people_places", "People and places that take their mind off it"),
                            ("people_to_ask", "People they can ask for help"),
                            ("professionals_services", "Professionals and services"),
                            ("safer_environment", "Making it safer"),
                            ("reasons_for_living", "Reasons for living"),
                        ],
                        max_length=28,
                    ),
                ),
                ("order", models.PositiveSmallIntegerField()),
                ("text", cortex.crypto.fields.SealedTextField(max_length=300)),
                (
                    "contact",
                    cortex.crypto.fields.SealedCharField(
                        blank=True,
                        help_text="A number, a place, or who holds the means.",
                        max_length=120,
                        null=True,
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
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="crisis.safetyplan",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a safety plan",
                "verbose_name_plural": "lines of safety plans",
                "ordering": ["section", "order"],
            },
        ),
        migrations.CreateModel(
            name="SafetyPlanReview",
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
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="crisis.safetyplan",
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
                "verbose_name": "review of a safety plan",
                "verbose_name_plural": "reviews of safety plans",
                "ordering": ["-reviewed_at"],
            },
        ),
        migrations.AddIndex(
            model_name="safetyplan",
            index=models.Index(
                condition=models.Q(("status", "current")), fields=["next_review_at"], name="safety_plan_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["current", "draft", "retired", "superseded"])),
                name="safety_plan_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retire_reason__in", ["", "declined", "discarded", "elsewhere", "mistaken"])
                ),
                name="safety_plan_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "current")), fields=("patient",), name="safety_plan_one_current"
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "draft")), fields=("patient",), name="safety_plan_one_draft"
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.UniqueConstraint(
                fields=("patient", "version"), name="safety_plan_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("draft__isnull", True),
                        ("finished_at__isnull", False),
                        ("next_review_at__isnull", False),
                        ("reviewed_at__isnull", False),
                        ("version__isnull", False),
                    ),
                    models.Q(
                        ("finished_at__isnull", True),
                        ("next_review_at__isnull", True),
                        ("reviewed_at__isnull", True),
                        ("status__in", ["draft", "retired"]),
                        ("version__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="safety_plan_finished_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("status__in", ["draft", "current"])),
                    models.Q(("ended_at__isnull", False), ("status__in", ["superseded", "retired"])),
                    _connector="OR",
                ),
                name="safety_plan_end_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "retired"), models.Q(("retire_reason", ""), _negated=True)),
                    models.Q(models.Q(("status", "retired"), _negated=True), ("retire_reason", "")),
                    _connector="OR",
                ),
                name="safety_plan_retired_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "draft"), _negated=True), ("draft__isnull", False), _connector="OR"
                ),
                name="safety_plan_draft_has_lines",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewed_at__isnull", True),
                    ("reviewed_at__gte", models.F("finished_at")),
                    _connector="OR",
                ),
                name="safety_plan_reviewed_after_finishing",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("next_review_at__isnull", True),
                    ("next_review_at__gte", models.F("reviewed_at")),
                    _connector="OR",
                ),
                name="safety_plan_next_after_review",
            ),
        ),
        migrations.AddIndex(
            model_name="safetyplanitem",
            index=models.Index(fields=["patient"], name="safety_item_patient"),
        ),
        migrations.AddConstraint(
            model_name="safetyplanitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "section__in",
                        [
                            "distraction_people_places",
                            "people_to_ask",
                            "professionals_services",
                            "reasons_for_living",
                            "safer_environment",
                            "self_coping",
                            "warning_signs",
                        ],
                    )
                ),
                name="safety_item_section_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplanitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("order__gte", 0), ("order__lte", 11)), ("order__isnull", True), _connector="OR"
                ),
                name="safety_item_order_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyplanitem",
            constraint=models.UniqueConstraint(
                fields=("plan", "section", "order"), name="safety_item_place_once"
            ),
        ),
        migrations.AddIndex(
            model_name="safetyplanreview",
            index=models.Index(fields=["patient", "-reviewed_at"], name="safety_review_patient"),
        ),
        GuardRows("SafetyPlan"),
        GuardRows("SafetyPlanItem"),
        GuardRows("SafetyPlanReview"),
        AppendOnly("SafetyPlanItem", erasable=True),
        AppendOnly("SafetyPlanReview", erasable=True),
    ]
