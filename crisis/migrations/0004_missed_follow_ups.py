"""Each try of a promised contact is a row of its own, written once."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.audit.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("crisis", "0003_overtaken_notifications"),
        ("patients", "0001_initial"),
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowUpAttempt",
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
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("chat", "Chat"),
                            ("sms", "Text message"),
                            ("in_person", "In person"),
                            ("emergency_contact", "Their emergency contact"),
                        ],
                        max_length=20,
                    ),
                ),
                ("attempted_at", models.DateTimeField()),
                ("note", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "attempted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "follow_up",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="crisis.followup",
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
            ],
            options={
                "verbose_name": "follow-up attempt",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("channel__in", ["phone", "chat", "sms", "in_person", "emergency_contact"])
                        ),
                        name="followup_attempt_channel",
                    )
                ],
            },
        ),
        AppendOnly("FollowUpAttempt", erasable=True),
    ]
