"""The house's own tables; telemetry and metrics by month."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.ids
from cortex.ops.partitions import PartitionedTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ServiceHeartbeat",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("last_run_at", models.DateTimeField()),
                ("detail", models.JSONField(blank=True, default=dict, help_text="Codes and numbers only.")),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="FeatureFlag",
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
                ("name", models.SlugField(max_length=100, unique=True)),
                ("description", models.TextField(blank=True)),
                ("is_enabled", models.BooleanField(default=False)),
                (
                    "rollout_percentage",
                    models.PositiveSmallIntegerField(
                        default=100, validators=[django.core.validators.MaxValueValidator(100)]
                    ),
                ),
                (
                    "target_segments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "target_regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, default=list, size=None
                    ),
                ),
                ("conditions", models.JSONField(blank=True, default=dict)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rollout_percentage__lte", 100)), name="flag_percentage"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at__isnull", True),
                            ("ends_at__isnull", True),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="flag_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "^(safety|crisis|alert|escalation|screening|sos|audit|access)"),
                            _negated=True,
                        ),
                        name="flag_not_safety",
                        violation_error_message="Safety functions can't be switched by a flag.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
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
                ("model", models.CharField(help_text="As app.Model.", max_length=100)),
                ("basis_field", models.CharField(max_length=64)),
                ("days", models.PositiveIntegerField(help_text="Age in days from the basis.")),
                (
                    "action",
                    models.CharField(
                        choices=[("delete", "Delete"), ("anonymise", "Anonymise"), ("archive", "Archive")],
                        default="delete",
                        max_length=12,
                    ),
                ),
                ("legal_basis", models.CharField(blank=True, max_length=200)),
                (
                    "overridable_by",
                    models.CharField(blank=True, help_text="The setting that may shorten it.", max_length=64),
                ),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name_plural": "retention policies",
                "ordering": ["model"],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "basis_field", "action"), name="policy_once"),
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["delete", "anonymise", "archive"])),
                        name="policy_action",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceMetric",
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
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
                ("service_name", models.CharField(max_length=64)),
                ("recorded_at", models.DateTimeField()),
                ("metric_name", models.CharField(max_length=100)),
                ("metric_value", models.FloatField()),
                ("tags", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["service_name", "metric_name", "-id"], name="metric_series")
                ],
            },
        ),
        PartitionedTable("ServiceMetric", keep_days=31),
        migrations.CreateModel(
            name="Notification",
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
                ("code", models.CharField(max_length=64)),
                (
                    "codes",
                    models.JSONField(blank=True, default=dict, help_text="Codes, ids and numbers only."),
                ),
                ("object_type", models.CharField(blank=True, max_length=64)),
                ("object_id", models.UUIDField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("read_at__isnull", True)),
                        fields=["recipient", "-id"],
                        name="notice_unread",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
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
                ("is_dry_run", models.BooleanField(default=False)),
                ("scanned", models.PositiveIntegerField(default=0)),
                ("deleted", models.PositiveIntegerField(default=0)),
                (
                    "held",
                    models.PositiveIntegerField(default=0, help_text="Kept by a legal hold or an open case."),
                ),
                ("errors", models.PositiveIntegerField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="ops.retentionpolicy",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scanned__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("deleted"), "+", models.F("held")
                                ),
                            )
                        ),
                        name="run_counts_add_up",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SystemSetting",
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
                ("key", models.CharField(max_length=100)),
                ("category", models.CharField(blank=True, max_length=40)),
                ("value", models.JSONField()),
                ("description", models.TextField(blank=True)),
                ("is_active", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "updated_by",
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
                "ordering": ["key", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "version"), name="setting_version"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)), fields=("key",), name="setting_one_active"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TelemetryEvent",
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
                ("event_id", models.CharField(help_text="The sender's item id.", max_length=64)),
                ("occurred_at", models.DateTimeField(help_text="Clamped: 60 days back, 5 minutes ahead.")),
                (
                    "sent_at",
                    models.DateTimeField(blank=True, help_text="The time as the app sent it.", null=True),
                ),
                ("session_pseudonym", models.CharField(blank=True, max_length=64)),
                ("user_pseudonym", models.CharField(blank=True, max_length=64)),
                ("event_type", models.CharField(max_length=64)),
                ("event_data", models.JSONField(blank=True, default=dict)),
                ("geo_region", models.CharField(blank=True, max_length=16)),
                ("device_type", models.CharField(blank=True, max_length=40)),
                ("app_version", models.CharField(blank=True, max_length=40)),
                ("performance_metrics", models.JSONField(blank=True, default=dict)),
                ("error_data", models.JSONField(blank=True, default=dict)),
                ("tags", models.JSONField(blank=True, default=dict)),
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
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["organization", "event_type", "-id"], name="telemetry_type")
                ],
            },
        ),
        PartitionedTable("TelemetryEvent", keep_days=365),
    ]
