"""The tables of the crisis floor."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
import crisis.alerts.states


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("patients", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertStep",
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
                        choices=[
                            ("chain", "Next step of the chain"),
                            ("confirm", "Was the step confirmed"),
                            ("warn_claim", "Warn an inactive owner"),
                            ("release_claim", "Release an inactive claim"),
                            ("contact_overdue", "First contact is overdue"),
                            ("check_in", "Ask the supervisor to look in"),
                            ("disposition_overdue", "The outcome is overdue"),
                            ("owner_gone", "The owner stayed away"),
                            ("review_overdue", "A second review is overdue"),
                            ("still_high", "Look again a day after the end"),
                        ],
                        max_length=24,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("epoch", models.PositiveIntegerField()),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=24)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("codes", models.JSONField(blank=True, default=dict)),
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
                "verbose_name": "due step",
            },
        ),
        migrations.CreateModel(
            name="Lexicon",
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
                ("version", models.CharField(max_length=32, unique=True)),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), help_text="en, sw, sheng", size=None
                    ),
                ),
                ("checksum", models.CharField(help_text="SHA-256 of the canonical entries.", max_length=64)),
                ("entry_count", models.PositiveIntegerField()),
                (
                    "signed",
                    models.BooleanField(
                        default=False,
                        help_text="Every entry signed by two native-speaker clinicians; else to be validated.",
                    ),
                ),
                ("is_active", models.BooleanField(default=False)),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("is_active",),
                        name="lexicon_one_active",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PagerEndpoint",
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
                ("name", models.CharField(max_length=80)),
                ("url", models.URLField(max_length=400)),
                ("secret", cortex.crypto.fields.SealedTextField(help_text="Shared secret of the signature.")),
                ("is_active", models.BooleanField(default=True)),
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
                "verbose_name": "pager endpoint",
            },
        ),
        migrations.CreateModel(
            name="RiskAlert",
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
                        choices=[
                            ("self_harm", "Self-harm"),
                            ("harm_to_others", "Harm to others"),
                            ("safeguarding", "Safeguarding"),
                            ("psychosis_disorientation", "Psychosis or disorientation"),
                            ("medical", "Medical"),
                            ("other", "Other"),
                            ("could_not_screen", "A message could not be screened"),
                            ("could_not_store", "A message could not be stored"),
                            ("no_cover", "Nobody is on shift"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "level",
                    models.CharField(choices=[("high", "High"), ("critical", "Critical")], max_length=8),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("notified", "notified"),
                            ("acknowledged", "acknowledged"),
                            ("in_contact", "in_contact"),
                            ("monitoring", "monitoring"),
                            ("resolved", "resolved"),
                            ("false_alarm", "false_alarm"),
                            ("merged", "merged"),
                        ],
                        default=crisis.alerts.states.Status["NEW"],
                        max_length=16,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("engine", "Signals"),
                            ("sos", "SOS button"),
                            ("staff", "A member of staff"),
                            ("system", "Cortex"),
                        ],
                        default="engine",
                        max_length=8,
                    ),
                ),
                ("reason_code", models.CharField(max_length=48)),
                (
                    "rules_fired",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, default=list, size=None
                    ),
                ),
                (
                    "factors",
                    models.JSONField(
                        blank=True, default=list, help_text="Coded factors with shares; no words."
                    ),
                ),
                (
                    "missing_inputs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("score", models.DecimalField(decimal_places=2, max_digits=4, null=True)),
                ("last_notified_score", models.DecimalField(decimal_places=2, max_digits=4, null=True)),
                ("assessment_id", models.UUIDField(help_text="The evaluation behind it.", null=True)),
                (
                    "waiting_person",
                    models.BooleanField(default=False, help_text="Pressed an SOS button and is waiting."),
                ),
                ("third_party", models.BooleanField(default=False, help_text="Somebody else told us.")),
                (
                    "hand_note",
                    cortex.crypto.fields.SealedTextField(
                        blank=True, help_text="Why staff raised it, and who called.", null=True
                    ),
                ),
                (
                    "epoch",
                    models.PositiveIntegerField(
                        default=0, help_text="Raised by every change; fences old timers."
                    ),
                ),
                (
                    "policy",
                    models.JSONField(default=dict, help_text="The clocks and chain, copied when it opened."),
                ),
                (
                    "chain_position",
                    models.PositiveSmallIntegerField(default=0, help_text="Next step of the chain."),
                ),
                (
                    "chain_beside",
                    models.BooleanField(default=False, help_text="The chain runs beside an absent owner."),
                ),
                ("has_unconfirmed_step", models.BooleanField(default=False)),
                ("raised_at", models.DateTimeField()),
                ("level_since", models.DateTimeField(help_text="Clocks run from here.")),
                ("sent_at", models.DateTimeField(null=True)),
                ("notified_at", models.DateTimeField(null=True)),
                ("claimed_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(help_text="First claim.", null=True)),
                (
                    "first_response_at",
                    models.DateTimeField(help_text="First attempt to reach the person.", null=True),
                ),
                ("contact_at", models.DateTimeField(null=True)),
                ("last_entry_at", models.DateTimeField(null=True)),
                ("owner_gone_at", models.DateTimeField(null=True)),
                ("claim_due_at", models.DateTimeField()),
                ("contact_due_at", models.DateTimeField()),
                ("disposition_due_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "disposition",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("remained_community_with_plan", "Stayed at home with a plan"),
                            ("urgent_outpatient_24_72h", "Urgent appointment within 24 to 72 hours"),
                            ("transferred_crisis_service", "Transferred to a crisis service"),
                            ("emergency_department", "Went to an emergency department"),
                            ("admitted_voluntary", "Admitted, voluntary"),
                            ("admitted_involuntary", "Admitted, involuntary"),
                            ("emergency_services_attended", "Emergency services attended"),
                            ("unable_to_locate", "Could not be located"),
                            ("declined_help_capacity_present", "Declined help, able to decide"),
                            ("not_a_crisis", "Not a crisis"),
                            ("deceased", "Died"),
                        ],
                        max_length=40,
                    ),
                ),
                ("resolution_notes", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("no_follow_up_reason", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claimed_alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crisis.riskalert",
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
                (
                    "resolved_by",
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
                "verbose_name": "alert",
            },
        ),
        migrations.CreateModel(
            name="NotificationAttempt",
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
                    "event_id",
                    models.UUIDField(help_text="The event on the feed that the person's board shows."),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("board", "The board"), ("email", "E-mail"), ("webhook", "Pager service")],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting to be sent or seen"),
                            ("sent", "Sent, not confirmed"),
                            ("confirmed", "Confirmed"),
                            ("failed", "Failed, will be tried again"),
                            ("dead", "Given up"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("next_try_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=48)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="crisis.alertstep",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crisis.pagerendpoint",
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="crisis.riskalert",
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
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
                ("due_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("done", "Done"),
                            ("missed", "Missed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="due",
                        max_length=12,
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        help_text="Which contact of the series, for instance 72h.", max_length=16
                    ),
                ),
                (
                    "swept_at",
                    models.DateTimeField(
                        help_text="When a review item was made because it passed.", null=True
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=32)),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "done_by",
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
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="crisis.riskalert",
                    ),
                ),
            ],
            options={
                "verbose_name": "follow-up",
            },
        ),
        migrations.AddField(
            model_name="alertstep",
            name="alert",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="crisis.riskalert"
            ),
        ),
        migrations.CreateModel(
            name="AlertFeedback",
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
                    "verdict",
                    models.CharField(
                        choices=[
                            ("true_crisis", "A crisis"),
                            ("elevated_not_crisis", "Distress, but no crisis"),
                            ("not_risk_language", "The words did not mean it"),
                            ("wrong_person", "About somebody else"),
                            ("voice_error", "The voice signal was wrong"),
                            ("already_known", "Already known and in hand"),
                            ("duplicate", "A duplicate"),
                            ("unsure", "Not sure"),
                        ],
                        max_length=24,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=48)),
                ("given_at", models.DateTimeField()),
                (
                    "given_by",
                    models.ForeignKey(
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
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feedback",
                        to="crisis.riskalert",
                    ),
                ),
            ],
            options={
                "verbose_name": "alert feedback",
            },
        ),
        migrations.CreateModel(
            name="AlertEvent",
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
                ("feed_number", models.BigIntegerField()),
                ("kind", models.CharField(max_length=32)),
                ("occurred_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor_kind", models.CharField(max_length=8)),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_label", models.CharField(max_length=160)),
                ("status", models.CharField(max_length=16)),
                ("level", models.CharField(max_length=8)),
                ("codes", models.JSONField(blank=True, default=dict)),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("sealed_for", models.UUIDField(help_text="Whose key seals the note.")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="crisis.riskalert",
                    ),
                ),
            ],
            options={
                "verbose_name": "alert event",
            },
        ),
        migrations.CreateModel(
            name="RiskAssessment",
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
                    "level",
                    models.CharField(
                        choices=[
                            ("low", "low"),
                            ("medium", "medium"),
                            ("high", "high"),
                            ("critical", "critical"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "level_source",
                    models.CharField(
                        choices=[
                            ("score", "score"),
                            ("floor", "hard rule"),
                            ("held", "held"),
                            ("clinician", "clinician"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "engine_level",
                    models.CharField(
                        choices=[
                            ("low", "low"),
                            ("medium", "medium"),
                            ("high", "high"),
                            ("critical", "critical"),
                        ],
                        help_text="Before the hysteresis; `level` may be held above it.",
                        max_length=8,
                    ),
                ),
                ("score", models.DecimalField(decimal_places=2, max_digits=3)),
                ("score_raw", models.DecimalField(decimal_places=4, max_digits=5)),
                ("protective_applied", models.DecimalField(decimal_places=4, max_digits=5)),
                (
                    "caps",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), blank=True, default=list, size=None
                    ),
                ),
                ("factors", models.JSONField(default=list)),
                (
                    "rules_fired",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=4), blank=True, default=list, size=None
                    ),
                ),
                ("signals", models.JSONField(default=list, help_text="Urgency by kind of alert, as codes.")),
                (
                    "reviews",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), blank=True, default=list, size=None
                    ),
                ),
                (
                    "missing_inputs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), blank=True, default=list, size=None
                    ),
                ),
                ("engine_version", models.CharField(max_length=16)),
                ("lexicon_version", models.CharField(blank=True, max_length=32)),
                ("inputs_digest", models.CharField(max_length=64)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("engine", "engine"),
                            ("clinician", "clinician"),
                            ("instrument", "instrument"),
                        ],
                        default="engine",
                        max_length=10,
                    ),
                ),
                ("computed_at", models.DateTimeField()),
                ("entered_level_at", models.DateTimeField()),
                ("calm_since", models.DateTimeField(blank=True, null=True)),
                (
                    "raised_at",
                    models.DateTimeField(blank=True, help_text="Last at medium or above.", null=True),
                ),
                ("alert_ref", models.UUIDField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RiskDue",
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
                ("due_at", models.DateTimeField()),
                ("reason_code", models.CharField(max_length=32)),
                ("source_id", models.UUIDField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "risk due",
            },
        ),
        migrations.CreateModel(
            name="SecondReview",
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
                        choices=[("false_alarm", "False alarm"), ("disposition", "Outcome")], max_length=24
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "request",
                    models.JSONField(default=dict, help_text="Codes of what takes effect when agreed."),
                ),
                ("request_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("agreed", models.BooleanField(null=True)),
                ("decision_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_reviews",
                        to="crisis.riskalert",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "second review",
            },
        ),
        migrations.CreateModel(
            name="SlaPolicy",
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
                    "level",
                    models.CharField(
                        choices=[("critical", "critical"), ("high", "high"), ("waiting", "waiting")],
                        max_length=8,
                    ),
                ),
                ("acknowledge_seconds", models.PositiveIntegerField()),
                ("contact_seconds", models.PositiveIntegerField()),
                ("disposition_seconds", models.PositiveIntegerField()),
                ("confirm_seconds", models.PositiveIntegerField(default=30)),
                ("warn_claim_seconds", models.PositiveIntegerField()),
                ("release_claim_seconds", models.PositiveIntegerField()),
                ("check_in_seconds", models.PositiveIntegerField(default=1200)),
                ("owner_gone_seconds", models.PositiveIntegerField(default=600)),
                ("repeat_seconds", models.PositiveIntegerField()),
                ("chain", models.JSONField()),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the default of every organization.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "clock policy",
                "verbose_name_plural": "clock policies",
            },
        ),
        migrations.CreateModel(
            name="CrisisResource",
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
                ("jurisdiction", models.CharField(help_text="ISO 3166 code, for instance KE.", max_length=8)),
                ("region", models.CharField(blank=True, max_length=80)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("suicide_line", "Suicide prevention line"),
                            ("crisis_line", "Crisis line"),
                            ("child_line", "Child helpline"),
                            ("gbv_line", "Gender-based violence helpline"),
                            ("poison_centre", "Poison information centre"),
                            ("hospital", "Hospital with emergency care"),
                            ("emergency", "Emergency services"),
                            ("peer_support", "Peer support"),
                        ],
                        max_length=24,
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=32)),
                ("sms", models.CharField(blank=True, max_length=32)),
                ("url", models.URLField(blank=True)),
                ("address", models.CharField(blank=True, max_length=200)),
                ("hours", models.CharField(default="24/7", max_length=80)),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, default=list, size=None
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=100, help_text="Smaller comes first.")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: shown to everybody in the jurisdiction.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "verified_by",
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
                "verbose_name": "crisis resource",
                "ordering": ["jurisdiction", "priority", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "suicide_line",
                                    "crisis_line",
                                    "child_line",
                                    "gbv_line",
                                    "poison_centre",
                                    "hospital",
                                    "emergency",
                                    "peer_support",
                                ],
                            )
                        ),
                        name="resource_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("phone", ""), ("sms", ""), ("url", ""), ("address", ""), _negated=True
                        ),
                        name="resource_is_reachable",
                    ),
                    models.UniqueConstraint(
                        fields=("jurisdiction", "name", "organization"),
                        name="resource_named_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DutyShift",
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
                    "role",
                    models.CharField(
                        choices=[
                            ("counselor", "Counselor"),
                            ("supervisor", "Supervisor"),
                            ("on_call", "Clinician on call"),
                        ],
                        default="counselor",
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("active", "On shift"),
                            ("paused", "On a break"),
                            ("ended", "Ended"),
                        ],
                        default="planned",
                        max_length=8,
                    ),
                ),
                (
                    "covers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        help_text="Organizations that this shift covers.",
                        size=None,
                    ),
                ),
                (
                    "agreement",
                    models.CharField(
                        blank=True,
                        help_text="Reference of the agreement that lets it cover others.",
                        max_length=120,
                    ),
                ),
                ("planned_start", models.DateTimeField()),
                ("planned_end", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("paused_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("sound_tested_at", models.DateTimeField(null=True)),
                ("muted_until", models.DateTimeField(null=True)),
                (
                    "phone",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, help_text="Where to ring while on call.", max_length=32, null=True
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shifts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "duty shift",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["active", "paused"])),
                        fields=["role"],
                        name="shift_running",
                    ),
                    models.Index(fields=["user", "-planned_start"], name="shift_user"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["active", "paused"])),
                        fields=("user",),
                        name="one_running_shift",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("planned_end__gt", models.F("planned_start"))),
                        name="shift_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("covers__len__gt", 0)), name="shift_covers_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
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
                ("code", models.CharField(max_length=40)),
                (
                    "domain",
                    models.CharField(
                        choices=[
                            ("text", "words"),
                            ("dissonance", "voice against words"),
                            ("emotion", "emotion"),
                            ("phq", "PHQ-9"),
                            ("cssrs", "C-SSRS"),
                            ("trajectory", "trajectory"),
                            ("baseline", "voice baseline"),
                            ("history", "history"),
                            ("stressors", "situation"),
                            ("disengagement", "disengagement"),
                            ("state", "current state"),
                            ("warning", "warning sign"),
                            ("protective", "protective"),
                            ("sos", "SOS button"),
                            ("third_party", "third party"),
                            ("others", "harm to others"),
                            ("review", "human decision"),
                            ("context", "context"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        blank=True, help_text="Tier, triage, direction or kind, by code.", max_length=24
                    ),
                ),
                ("value", models.FloatField(blank=True, null=True)),
                ("confidence", models.FloatField(default=1.0)),
                (
                    "floor",
                    models.CharField(
                        blank=True, help_text="A level that the item itself demands.", max_length=8
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("present", "present"), ("absent", "absent"), ("unknown", "unknown")],
                        default="present",
                        max_length=8,
                    ),
                ),
                ("source_type", models.CharField(max_length=16)),
                (
                    "source_id",
                    models.UUIDField(blank=True, help_text="Bare: the source may be gone.", null=True),
                ),
                ("session_ref", models.UUIDField(blank=True, null=True)),
                (
                    "local_day",
                    models.DateField(blank=True, help_text="The person's own calendar day.", null=True),
                ),
                ("observed_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it stops counting by itself; empty: until a human act ends it.",
                        null=True,
                    ),
                ),
                ("lexicon_entry", models.CharField(blank=True, max_length=40)),
                ("lexicon_version", models.CharField(blank=True, max_length=32)),
                (
                    "flags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), blank=True, default=list, size=None
                    ),
                ),
                ("refuted_at", models.DateTimeField(blank=True, null=True)),
                ("refuted_by_alert", models.UUIDField(blank=True, null=True)),
                ("supersedes", models.UUIDField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
                "indexes": [
                    models.Index(fields=["patient", "-observed_at"], name="evidence_patient_time"),
                    models.Index(
                        condition=models.Q(("refuted_at__isnull", True)),
                        fields=["patient", "expires_at"],
                        name="evidence_counting",
                    ),
                    models.Index(fields=["source_id"], name="evidence_source"),
                    models.Index(fields=["code", "-observed_at"], name="evidence_code_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("confidence__gte", 0), ("confidence__lte", 1)),
                        name="evidence_confidence_0_1",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "domain__in",
                                [
                                    "text",
                                    "dissonance",
                                    "emotion",
                                    "phq",
                                    "cssrs",
                                    "trajectory",
                                    "baseline",
                                    "history",
                                    "stressors",
                                    "disengagement",
                                    "state",
                                    "warning",
                                    "protective",
                                    "sos",
                                    "third_party",
                                    "others",
                                    "review",
                                    "context",
                                ],
                            )
                        ),
                        name="evidence_domain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["present", "absent", "unknown"])),
                        name="evidence_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("floor__in", ["", "low", "medium", "high", "critical"])),
                        name="evidence_floor_is_a_level",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refuted_at__isnull", False), ("refuted_by_alert__isnull", True), _connector="OR"
                        ),
                        name="evidence_refuted_has_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__isnull", True),
                            ("expires_at__gte", models.F("observed_at")),
                            _connector="OR",
                        ),
                        name="evidence_expires_after_observed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IntakeKey",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "source",
                    models.CharField(
                        choices=[("item", "Item of a client"), ("legacy", "Key of an imported source")],
                        max_length=8,
                    ),
                ),
                (
                    "sender",
                    models.CharField(
                        help_text="The client's id, or source.table of an import.", max_length=80
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("patient_id", models.UUIDField(help_text="Bare id: the key outlives the row.", null=True)),
                ("result", models.CharField(default="stored", max_length=16)),
                ("object_type", models.CharField(blank=True, max_length=48)),
                ("object_id", models.UUIDField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "intake key",
                "indexes": [
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="intake_key_expiry",
                    ),
                    models.Index(fields=["patient_id"], name="intake_key_patient"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["item", "legacy"])), name="intake_key_source_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", "legacy"), _negated=True),
                            ("expires_at__isnull", True),
                            _connector="OR",
                        ),
                        name="intake_key_legacy_stays",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IntakeRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sender", models.CharField(help_text="client:<id> or patient:<id>.", max_length=80)),
                ("idempotency_key", models.CharField(max_length=200)),
                ("body_digest", models.BinaryField(help_text="Keyed digest of route and body.")),
                ("status", models.PositiveSmallIntegerField()),
                ("content_type", models.CharField(max_length=64)),
                ("answer", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField()),
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
                "verbose_name": "kept answer",
                "indexes": [models.Index(fields=["expires_at"], name="intake_request_expiry")],
                "constraints": [
                    models.UniqueConstraint(fields=("sender", "idempotency_key"), name="intake_request_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__range", (200, 499)), models.Q(("status", 429), _negated=True)
                        ),
                        name="intake_request_final",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LexiconEntry",
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
                    "code",
                    models.CharField(
                        help_text="The entry's id; in evidence, never on a card.", max_length=40
                    ),
                ),
                ("tier", models.CharField(blank=True, max_length=4)),
                ("language", models.CharField(max_length=8)),
                ("role", models.CharField(max_length=24)),
                ("patterns", models.JSONField(default=list)),
                (
                    "cues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "signed_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "lexicon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="crisis.lexicon",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("lexicon", "code"), name="lexiconentry_once"),
                    models.CheckConstraint(
                        condition=models.Q(("tier__in", ["", "A", "B", "C", "D", "V", "SH"])),
                        name="lexiconentry_tier",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
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
                ("reason_code", models.CharField(max_length=48)),
                ("source_type", models.CharField(blank=True, max_length=32)),
                ("source_id", models.UUIDField(null=True)),
                ("due_at", models.DateTimeField()),
                ("next_escalation_at", models.DateTimeField(null=True)),
                ("escalations", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=32)),
                ("outcome_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "done_by",
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
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the desk.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "verbose_name": "review item",
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=["organization", "due_at"],
                        name="review_open",
                    ),
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=["next_escalation_at"],
                        name="review_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=("patient", "reason_code"),
                        name="one_open_item_per_reason",
                        nulls_distinct=True,
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="riskalert",
            index=models.Index(
                condition=models.Q(
                    (
                        "status__in",
                        (
                            crisis.alerts.states.Status["NEW"],
                            crisis.alerts.states.Status["NOTIFIED"],
                            crisis.alerts.states.Status["ACKNOWLEDGED"],
                            crisis.alerts.states.Status["IN_CONTACT"],
                            crisis.alerts.states.Status["MONITORING"],
                        ),
                    )
                ),
                fields=["organization", "level", "level_since"],
                name="alert_open",
            ),
        ),
        migrations.AddIndex(
            model_name="riskalert",
            index=models.Index(fields=["status", "level", "created_at"], name="alert_status_level"),
        ),
        migrations.AddIndex(
            model_name="riskalert",
            index=models.Index(fields=["assigned_to", "status"], name="alert_owner"),
        ),
        migrations.AddIndex(
            model_name="riskalert",
            index=models.Index(fields=["organization", "-resolved_at"], name="alert_resolved"),
        ),
        migrations.AddIndex(
            model_name="riskalert",
            index=models.Index(fields=["patient", "-raised_at"], name="alert_patient"),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("patient__isnull", False),
                    (
                        "status__in",
                        (
                            crisis.alerts.states.Status["NEW"],
                            crisis.alerts.states.Status["NOTIFIED"],
                            crisis.alerts.states.Status["ACKNOWLEDGED"],
                            crisis.alerts.states.Status["IN_CONTACT"],
                            crisis.alerts.states.Status["MONITORING"],
                        ),
                    ),
                ),
                fields=("patient", "kind"),
                name="one_open_alert_per_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "no_cover"),
                    (
                        "status__in",
                        (
                            crisis.alerts.states.Status["NEW"],
                            crisis.alerts.states.Status["NOTIFIED"],
                            crisis.alerts.states.Status["ACKNOWLEDGED"],
                            crisis.alerts.states.Status["IN_CONTACT"],
                            crisis.alerts.states.Status["MONITORING"],
                        ),
                    ),
                ),
                fields=("organization",),
                name="one_open_no_cover",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["high", "critical"])), name="alert_level_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "new",
                            "notified",
                            "acknowledged",
                            "in_contact",
                            "monitoring",
                            "resolved",
                            "false_alarm",
                            "merged",
                        ],
                    )
                ),
                name="alert_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__isnull", True), ("score__range", (0, 1)), _connector="OR"),
                name="alert_score_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("assigned_to__isnull", False),
                        (
                            "status__in",
                            (
                                crisis.alerts.states.Status["ACKNOWLEDGED"],
                                crisis.alerts.states.Status["IN_CONTACT"],
                                crisis.alerts.states.Status["MONITORING"],
                            ),
                        ),
                    ),
                    models.Q(
                        (
                            "status__in",
                            (
                                crisis.alerts.states.Status["ACKNOWLEDGED"],
                                crisis.alerts.states.Status["IN_CONTACT"],
                                crisis.alerts.states.Status["MONITORING"],
                            ),
                        ),
                        _negated=True,
                    ),
                    _connector="OR",
                ),
                name="owned_alert_has_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("patient__isnull", False), ("kind", "no_cover"), _connector="OR"),
                name="alert_has_patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskalert",
            constraint=models.CheckConstraint(
                condition=models.Q(("level_since__gte", models.F("raised_at"))), name="level_since_not_before"
            ),
        ),
        migrations.AddIndex(
            model_name="notificationattempt",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "failed"])),
                fields=["next_try_at"],
                name="attempt_due",
            ),
        ),
        migrations.AddIndex(
            model_name="notificationattempt",
            index=models.Index(
                condition=models.Q(("channel", "board"), ("state", "pending")),
                fields=["user", "organization"],
                name="attempt_board",
            ),
        ),
        migrations.AddIndex(
            model_name="notificationattempt",
            index=models.Index(fields=["step"], name="attempt_step"),
        ),
        migrations.AddIndex(
            model_name="followup",
            index=models.Index(fields=["due_at", "status"], name="followup_due"),
        ),
        migrations.AddIndex(
            model_name="followup",
            index=models.Index(fields=["organization", "status", "due_at"], name="followup_org"),
        ),
        migrations.AddIndex(
            model_name="alertstep",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)), fields=["due_at"], name="step_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "verdict__in",
                        [
                            "true_crisis",
                            "elevated_not_crisis",
                            "not_risk_language",
                            "wrong_person",
                            "voice_error",
                            "already_known",
                            "duplicate",
                            "unsure",
                        ],
                    )
                ),
                name="feedback_verdict_known",
            ),
        ),
        migrations.AddIndex(
            model_name="alertevent",
            index=models.Index(fields=["alert", "feed_number"], name="event_alert"),
        ),
        migrations.AddConstraint(
            model_name="alertevent",
            constraint=models.UniqueConstraint(
                fields=("organization", "feed_number"), name="one_event_per_number"
            ),
        ),
        migrations.AddIndex(
            model_name="riskassessment",
            index=models.Index(fields=["patient", "-computed_at", "-id"], name="assessment_patient_time"),
        ),
        migrations.AddIndex(
            model_name="riskassessment",
            index=models.Index(fields=["level", "-computed_at"], name="assessment_level_time"),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gte", 0), ("score__lte", 1)), name="assessment_score_0_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("score_raw__gte", 0), ("score_raw__lte", 1)),
                name="assessment_score_raw_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("protective_applied__gte", 0), ("protective_applied__lte", 1)),
                name="assessment_protective_0_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["low", "medium", "high", "critical"])),
                name="assessment_level",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("engine_level__in", ["low", "medium", "high", "critical"])),
                name="assessment_engine_level",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("level_source__in", ["score", "floor", "held", "clinician"])),
                name="assessment_level_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["engine", "clinician", "instrument"])),
                name="assessment_source",
            ),
        ),
        migrations.AddIndex(
            model_name="riskdue",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)), fields=["due_at"], name="riskdue_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="riskdue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at__isnull", True)),
                fields=("patient", "reason_code"),
                name="riskdue_one_open_per_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskdue",
            constraint=models.CheckConstraint(
                condition=models.Q(("done_at__isnull", True), ("claimed_at__isnull", False), _connector="OR"),
                name="riskdue_done_was_claimed",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondreview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decided_at__isnull", True)),
                fields=("alert",),
                name="one_pending_review_per_alert",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="reviewer_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="slapolicy",
            constraint=models.UniqueConstraint(
                fields=("organization", "level"), name="one_policy_per_level", nulls_distinct=False
            ),
        ),
    ]
