"""What organizations let rules and versions of the lexicon do, with its row-level security."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.ids
from cortex.access.rows import GuardRows


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_second_factors"),
        ("crisis", "0016_calibration_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="riskassessment",
            name="rule_states",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="Rules that were not live, with their states.",
            ),
        ),
        migrations.CreateModel(
            name="EngineSetting",
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
                ("kind", models.CharField(choices=[("rule", "Rule"), ("lexicon", "Lexicon")], max_length=8)),
                (
                    "name",
                    models.CharField(
                        help_text="The rule's id, or the version of the lexicon.", max_length=32
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("off", "Off"), ("shadow", "In shadow"), ("live", "Live")], max_length=8
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("agreed", models.BooleanField(blank=True, null=True)),
                ("in_force_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Second reader.",
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
            ],
            options={
                "verbose_name": "engine setting",
                "indexes": [
                    models.Index(
                        condition=models.Q(("in_force_at__isnull", False)),
                        fields=["organization", "kind", "name", "-in_force_at"],
                        name="setting_in_force",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["rule", "lexicon"])), name="setting_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["off", "shadow", "live"])), name="setting_state"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="setting_reader_is_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("in_force_at__isnull", True),
                            models.Q(("agreed", False), _negated=True),
                            _connector="OR",
                        ),
                        name="setting_refused_is_not_in_force",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at__isnull", True), ("in_force_at__isnull", True)),
                        fields=("organization", "kind", "name"),
                        name="setting_one_question",
                    ),
                ],
            },
        ),
        GuardRows("EngineSetting"),
    ]
