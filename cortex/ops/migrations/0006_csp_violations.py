"""Violations of the content policy: a new table, and the rule by which its rows leave."""

from typing import Any

import django.db.models.functions.datetime
from django.db import migrations, models

import cortex.ids

RULE = ("ops.CspViolation", "last_at", 90, "operation of the service")


def add_rule(apps: Any, schema_editor: Any) -> None:
    """Add the rule; a number changed later in the admin stays."""
    model, field, days, basis = RULE
    apps.get_model("ops", "RetentionPolicy").objects.get_or_create(
        model=model, basis_field=field, action="delete", defaults={"days": days, "legal_basis": basis}
    )


class Migration(migrations.Migration):
    """A new table only: no row that exists is touched, and no lock is held that anybody would wait for."""

    dependencies = [("ops", "0005_slots_and_letters")]

    operations = [
        migrations.CreateModel(
            name="CspViolation",
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
                ("directive", models.CharField(max_length=40)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("inline", "Inline"),
                            ("eval", "Eval"),
                            ("data", "data: or blob:"),
                            ("extension", "Browser extension"),
                            ("own", "This host"),
                            ("host", "Another host"),
                            ("other", "Something else"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        help_text="The page's route by its name; no path, no id.", max_length=100
                    ),
                ),
                (
                    "host",
                    models.CharField(
                        blank=True, help_text="The last other host, its last two labels alone.", max_length=64
                    ),
                ),
                ("times", models.PositiveBigIntegerField(default=1)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "CSP violation",
                "ordering": ["-last_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("directive", "source", "route"), name="csp_violation_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source__in", ["inline", "eval", "data", "extension", "own", "host", "other"])
                        ),
                        name="csp_violation_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_at__gte", models.F("first_at")), ("times__gte", 1)),
                        name="csp_violation_counts",
                    ),
                ],
            },
        ),
        migrations.RunPython(add_rule, migrations.RunPython.noop),
    ]
