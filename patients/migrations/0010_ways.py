"""Opened charts, referrals, endings of care and absences."""

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
        ("patients", "0009_neural_audio"),
        ("access", "0001_roles"),
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
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
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "ended_at",
                    models.DateTimeField(
                        help_text="When they came back early, or it was called off.", null=True
                    ),
                ),
                (
                    "cover",
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
                    "planned_by",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-starts_at"],
                "indexes": [models.Index(fields=["user", "ends_at"], name="absence_user_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="absence_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cover", models.F("user")), _negated=True),
                        name="absence_covered_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BreakGlassGrant",
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
                    "reason_code",
                    models.CharField(
                        choices=[
                            ("imminent_risk", "Somebody is in imminent danger"),
                            ("care_continuity", "Care can't wait for the team"),
                            ("system_failure", "A failure keeps the team's own way shut"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "protected_at",
                    models.DateTimeField(
                        help_text="When psychotherapy and Part 2 notes were confirmed a second time.",
                        null=True,
                    ),
                ),
                ("review_due_at", models.DateTimeField()),
                ("reviewed_at", models.DateTimeField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("appropriate", "Appropriate"),
                            ("inappropriate", "Inappropriate: an incident"),
                        ],
                        max_length=16,
                    ),
                ),
                ("review_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("incident_closed_at", models.DateTimeField(null=True)),
                (
                    "incident_note",
                    cortex.crypto.fields.SealedTextField(
                        blank=True, help_text="What was done about it.", null=True
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="broken_glass",
                        to="patients.patientuserobjectpermission",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
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
                "verbose_name": "break-glass grant",
                "indexes": [
                    models.Index(
                        condition=models.Q(("reviewed_at__isnull", True)),
                        fields=["organization", "review_due_at"],
                        name="glass_to_review",
                    ),
                    models.Index(fields=["organization", "-id"], name="glass_org"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason_code__in", ["care_continuity", "imminent_risk", "system_failure"])
                        ),
                        name="glass_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["", "appropriate", "inappropriate"])),
                        name="glass_verdict_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("reviewed_at__isnull", True), ("reviewed_by__isnull", True), ("verdict", "")
                            ),
                            models.Q(
                                ("reviewed_at__isnull", False),
                                ("reviewed_by__isnull", False),
                                models.Q(("verdict", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="glass_review_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_by__isnull", True),
                            models.Q(("reviewed_by", models.F("user")), _negated=True),
                            _connector="OR",
                        ),
                        name="glass_reviewer_is_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("incident_closed_at__isnull", True),
                            ("verdict", "inappropriate"),
                            _connector="OR",
                        ),
                        name="glass_incident_of_inappropriate",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CareEnding",
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
                    models.CharField(
                        choices=[("discharge", "Discharge"), ("transfer", "Transfer")], max_length=12
                    ),
                ),
                (
                    "reason_code",
                    models.CharField(
                        choices=[
                            ("goals_reached", "The goals are reached"),
                            ("person_ended", "The person ended it"),
                            ("no_contact", "No contact any more"),
                            ("moved_away", "The person moved away"),
                            ("other_service", "Another service takes over"),
                            ("other_skills", "Needs somebody with other skills"),
                            ("person_asked", "The person asked for somebody else"),
                            ("staff_left", "The clinician leaves"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "to_outside",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, help_text="Who goes on elsewhere.", max_length=200, null=True
                    ),
                ),
                (
                    "summary",
                    cortex.crypto.fields.SealedTextField(
                        blank=True, help_text="The closing summary.", null=True
                    ),
                ),
                ("ended_at", models.DateTimeField()),
                ("access_ends_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_user",
                    models.ForeignKey(
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
                        related_name="endings",
                        to="patients.patient",
                    ),
                ),
                (
                    "to_user",
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
                "ordering": ["-ended_at", "-id"],
                "indexes": [models.Index(fields=["patient", "-ended_at"], name="ending_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["discharge", "transfer"])), name="ending_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason_code__in",
                                [
                                    "goals_reached",
                                    "moved_away",
                                    "no_contact",
                                    "other_service",
                                    "other_skills",
                                    "person_asked",
                                    "person_ended",
                                    "staff_left",
                                ],
                            )
                        ),
                        name="ending_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "transfer"), ("to_user__isnull", False)),
                            models.Q(("kind", "discharge"), ("to_user__isnull", True)),
                            _connector="OR",
                        ),
                        name="ending_transfer_names_who",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "transfer"), ("summary__isnull", False), _connector="OR"),
                        name="ending_discharge_has_summary",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_user__isnull", True),
                            ("from_user__isnull", True),
                            models.Q(("to_user", models.F("from_user")), _negated=True),
                            _connector="OR",
                        ),
                        name="ending_to_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("access_ends_at__gte", models.F("ended_at"))),
                        name="ending_access_not_before",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
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
                    "source",
                    models.CharField(
                        choices=[
                            ("self", "The person themself"),
                            ("family", "Family or friends"),
                            ("physician", "A physician"),
                            ("hospital", "A hospital"),
                            ("school", "School or work"),
                            ("crisis_desk", "The crisis desk"),
                            ("colleague", "A colleague of this service"),
                            ("other", "Somebody else"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[
                            ("urgent", "Within a day"),
                            ("soon", "Within a week"),
                            ("routine", "In turn"),
                        ],
                        default="routine",
                        max_length=8,
                    ),
                ),
                ("reason", cortex.crypto.fields.SealedTextField()),
                (
                    "referrer",
                    cortex.crypto.fields.SealedCharField(
                        blank=True, help_text="Who outside sent them.", max_length=160, null=True
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("accepted", "Accepted"), ("declined", "Declined")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decline_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no_room", "No room"),
                            ("not_suitable", "Needs something else"),
                            ("wrong_service", "Belongs to another service"),
                            ("person_declined", "The person doesn't want it"),
                        ],
                        max_length=16,
                    ),
                ),
                ("decision_note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "asked",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Empty: the supervisors name somebody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
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
                        related_name="referrals",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["organization", "received_at"],
                        name="referral_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["asked"], name="referral_asked"
                    ),
                    models.Index(fields=["patient", "-received_at"], name="referral_patient"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "source__in",
                                [
                                    "colleague",
                                    "crisis_desk",
                                    "family",
                                    "hospital",
                                    "other",
                                    "physician",
                                    "school",
                                    "self",
                                ],
                            )
                        ),
                        name="referral_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("urgency__in", ["routine", "soon", "urgent"])),
                        name="referral_urgency_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["accepted", "declined", "waiting"])),
                        name="referral_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "decline_code__in",
                                ["", "no_room", "not_suitable", "person_declined", "wrong_service"],
                            )
                        ),
                        name="referral_decline_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("status", "waiting")),
                            models.Q(
                                models.Q(("status", "waiting"), _negated=True), ("decided_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="referral_decided_when_not_waiting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "declined"), models.Q(("decline_code", ""), _negated=True)),
                            models.Q(models.Q(("status", "declined"), _negated=True), ("decline_code", "")),
                            _connector="OR",
                        ),
                        name="referral_declined_with_a_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "waiting")),
                        fields=("patient",),
                        name="referral_one_waiting",
                    ),
                ],
            },
        ),
        GuardRows("Absence"),
        GuardRows("BreakGlassGrant"),
        GuardRows("CareEnding"),
        GuardRows("Referral"),
        AppendOnly("CareEnding", erasable=True),
    ]
