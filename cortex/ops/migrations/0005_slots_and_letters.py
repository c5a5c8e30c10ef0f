"""The timetable's slots and the dead letters: three new tables, and the rules by which their rows leave."""

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.ids

RULES = [
    ("ops.ScheduledSlot", "slot", 14, "operation of the service"),
    ("ops.DeadLetter", "decided_at", 365, "what was given up, and who decided; the trail keeps it longer"),
]


def add_rules(apps: Any, schema_editor: Any) -> None:
    """Add one row per rule; a number changed later in the admin stays."""
    policy = apps.get_model("ops", "RetentionPolicy")
    for model, field, days, basis in RULES:
        policy.objects.get_or_create(
            model=model, basis_field=field, action="delete", defaults={"days": days, "legal_basis": basis}
        )


class Migration(migrations.Migration):
    """New tables only: no row that exists is touched, and no lock is held that anybody would wait for."""

    dependencies = [
        ("accounts", "0006_second_factors"),
        ("ops", "0004_months_for_backups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ScheduledJob",
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
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "schedule",
                    models.CharField(
                        help_text="As the settings say it; a new one starts anew.", max_length=200
                    ),
                ),
                ("seen_until", models.DateTimeField()),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ScheduledSlot",
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
                ("job", models.CharField(max_length=100)),
                (
                    "slot",
                    models.DateTimeField(help_text="The time that the schedule gives, whenever it was run."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("begun", "Begun"),
                            ("done", "Done"),
                            ("dead", "Dead letter"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("begun_at", models.DateTimeField(blank=True, null=True)),
                (
                    "begun_by",
                    models.CharField(blank=True, help_text="The message that took it.", max_length=64),
                ),
                (
                    "lease_until",
                    models.DateTimeField(
                        blank=True, help_text="Then its worker is taken for dead.", null=True
                    ),
                ),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "sends",
                    models.PositiveSmallIntegerField(default=0, help_text="How often the sweeper sent it."),
                ),
                ("send_at", models.DateTimeField(help_text="When the sweeper sends it (again).")),
                ("error_code", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ["-slot", "job"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "begun"])),
                        fields=["send_at"],
                        name="slot_undone",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "slot"), name="slot_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "begun", "done", "dead"])),
                        name="slot_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", False), ("state", "done")),
                            models.Q(models.Q(("state", "done"), _negated=True), ("done_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="slot_done_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "begun"), _negated=True),
                            models.Q(("begun_at__isnull", False), ("lease_until__gt", models.F("begun_at"))),
                            _connector="OR",
                        ),
                        name="slot_begun_has_lease",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
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
                        choices=[("task", "Scheduled job"), ("row", "Row that can't be opened")], max_length=8
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="The job's name, or the row's model and field.", max_length=100
                    ),
                ),
                ("row_id", models.UUIDField(blank=True, null=True)),
                (
                    "slot",
                    models.DateTimeField(blank=True, help_text="The last slot that was given up.", null=True),
                ),
                ("error_code", models.CharField(max_length=64)),
                ("times", models.PositiveIntegerField(default=1, help_text="How often it was given up.")),
                ("last_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("retried", "Tried again"), ("set_aside", "Set aside")],
                        default="open",
                        max_length=12,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done_by_hand", "Its work was done by hand"),
                            ("done_later", "A later run did its work"),
                            ("lost", "The row can't be read any more"),
                            ("not_needed", "It is no longer needed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("kind", "name", "row_id"),
                        name="letter_one_open",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["task", "row"])), name="letter_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "retried", "set_aside"])),
                        name="letter_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "task"), ("row_id__isnull", True), ("slot__isnull", False)),
                            models.Q(("kind", "row"), ("row_id__isnull", False), ("slot__isnull", True)),
                            _connector="OR",
                        ),
                        name="letter_names_its_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("reason__in", ["done_by_hand", "done_later", "lost", "not_needed"]),
                                ("state", "set_aside"),
                            ),
                            models.Q(models.Q(("state", "set_aside"), _negated=True), ("reason", "")),
                            _connector="OR",
                        ),
                        name="letter_aside_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="letter_decided_has_time",
                    ),
                ],
            },
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
    ]
