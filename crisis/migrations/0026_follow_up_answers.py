"""What is asked in a follow-up, what a supervisor decides on a welfare check, and the clocks of medium."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows
from cortex.audit.operations import AppendOnly
from crisis.escalation.policy import MEDIUM_ROW

WHY = [
    ("declined", "They didn't want to"),
    ("not_alone", "They couldn't speak freely"),
    ("distress", "Too distressed to be asked"),
    ("cut_short", "The contact ended too soon"),
    ("asked_lately", "Asked a short while ago"),
    ("no_form", "The form was not at hand"),
    ("no_language", "No language in common"),
    ("other", "Another reason: see the note"),
]


def add_medium(apps, schema_editor):
    """Write the default clocks of a medium level, for every organization without its own."""
    policy = apps.get_model("crisis", "SlaPolicy")
    policy.objects.get_or_create(organization=None, level="medium", defaults=MEDIUM_ROW)


def remove_medium(apps, schema_editor):
    """Take the clocks of medium out again, an organization's own with them."""
    apps.get_model("crisis", "SlaPolicy").objects.filter(level="medium").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("crisis", "0025_step_downs"),
        ("patients", "0013_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowUpCheck",
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
                ("answered_at", models.DateTimeField()),
                (
                    "screener",
                    models.CharField(
                        blank=True, choices=[("done", "Asked"), ("not_asked", "Not asked")], max_length=12
                    ),
                ),
                (
                    "screener_id",
                    models.UUIDField(blank=True, help_text="Which administration it was.", null=True),
                ),
                ("screened_at", models.DateTimeField(blank=True, null=True)),
                ("screener_why", models.CharField(blank=True, choices=WHY, max_length=16)),
                (
                    "plan",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fits", "Still fits"),
                            ("changed", "Changed, or to be changed"),
                            ("none", "There is none yet"),
                            ("not_asked", "Not looked at"),
                        ],
                        max_length=12,
                    ),
                ),
                ("plan_why", models.CharField(blank=True, choices=WHY, max_length=16)),
                (
                    "means",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("safe", "Safe: out of reach"),
                            ("unsafe", "Not safe: within reach"),
                            ("not_asked", "Not asked"),
                        ],
                        max_length=12,
                    ),
                ),
                ("means_why", models.CharField(blank=True, choices=WHY, max_length=16)),
                ("means_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "follow-up's answers",
                "verbose_name_plural": "follow-ups' answers",
            },
        ),
        migrations.CreateModel(
            name="WelfareDecision",
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
                    "decision",
                    models.CharField(
                        choices=[
                            ("send", "Send a welfare check"),
                            ("dont_send", "Send none"),
                            ("try_again", "Try again first"),
                        ],
                        max_length=12,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                (
                    "contact",
                    models.CharField(help_text="How it stood with the emergency contact.", max_length=12),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("again_by", models.DateTimeField(blank=True, null=True)),
                ("reason", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("reference", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "decision on a welfare check",
                "verbose_name_plural": "decisions on welfare checks",
            },
        ),
        migrations.AddField(
            model_name="followup",
            name="supervisor_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When a supervisor is asked about a welfare check, unless reached.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="slapolicy",
            name="level",
            field=models.CharField(
                choices=[
                    ("critical", "critical"),
                    ("high", "high"),
                    ("waiting", "waiting"),
                    ("medium", "medium"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="followupcheck",
            name="answered_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="followupcheck",
            name="follow_up",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="crisis.followup"
            ),
        ),
        migrations.AddField(
            model_name="followupcheck",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="followupcheck",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="welfaredecision",
            name="decided_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="welfaredecision",
            name="item",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="welfare", to="crisis.reviewitem"
            ),
        ),
        migrations.AddField(
            model_name="welfaredecision",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="welfaredecision",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.patient",
            ),
        ),
        migrations.AddIndex(
            model_name="followupcheck",
            index=models.Index(fields=["patient", "-answered_at"], name="check_patient"),
        ),
        migrations.AddConstraint(
            model_name="followupcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("screener", "not_asked"), ("screener_why__in", [code for code, _ in WHY])),
                    models.Q(models.Q(("screener", "not_asked"), _negated=True), ("screener_why", "")),
                    _connector="OR",
                ),
                name="check_screener_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="followupcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("plan", "not_asked"), ("plan_why__in", [code for code, _ in WHY])),
                    models.Q(models.Q(("plan", "not_asked"), _negated=True), ("plan_why", "")),
                    _connector="OR",
                ),
                name="check_plan_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="followupcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("means", "not_asked"), ("means_why__in", [code for code, _ in WHY])),
                    models.Q(models.Q(("means", "not_asked"), _negated=True), ("means_why", "")),
                    _connector="OR",
                ),
                name="check_means_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="followupcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("screened_at__isnull", False), ("screener", "done"), ("screener_id__isnull", False)
                    ),
                    models.Q(
                        models.Q(("screener", "done"), _negated=True),
                        ("screened_at__isnull", True),
                        ("screener_id__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="check_screener_named",
            ),
        ),
        migrations.AddIndex(
            model_name="welfaredecision",
            index=models.Index(fields=["patient", "-decided_at"], name="welfare_patient"),
        ),
        migrations.AddConstraint(
            model_name="welfaredecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("decision__in", ["send", "dont_send", "try_again"])),
                name="welfare_decision_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="welfaredecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("again_by__isnull", False), ("decision", "try_again")),
                    models.Q(models.Q(("decision", "try_again"), _negated=True), ("again_by__isnull", True)),
                    _connector="OR",
                ),
                name="welfare_again_by",
            ),
        ),
        AppendOnly("FollowUpCheck", erasable=True),
        AppendOnly("WelfareDecision", erasable=True),
        GuardRows("FollowUpCheck"),
        GuardRows("WelfareDecision"),
        migrations.RunPython(add_medium, remove_medium),
    ]
