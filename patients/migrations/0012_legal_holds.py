"""Legal holds, which a trigger keeps as they were issued until they are released, once."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows

# As documents have it (clinical 0009): the trigger's name and argument are those of append-only tables, which
# whoever seals rows anew under another key or erases a person looks for. The release is filled in once.
GUARD = """
CREATE OR REPLACE FUNCTION patients_hold_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
DECLARE
    free text[] := ARRAY['released_at', 'released_by_id', 'release_reason', 'updated_at'];
BEGIN
    IF current_user = 'cortex_eraser' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.released_at IS NULL AND to_jsonb(NEW) - free = to_jsonb(OLD) - free THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% keeps what was issued: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
ON = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "patients_legalhold"
FOR EACH ROW EXECUTE FUNCTION patients_hold_stays('erasable');
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "patients_legalhold"
FOR EACH STATEMENT EXECUTE FUNCTION cortex_append_only('kept');
REVOKE DELETE, TRUNCATE ON "patients_legalhold" FROM cortex_app, cortex_system;
GRANT SELECT, UPDATE, DELETE ON "patients_legalhold" TO cortex_eraser;
"""
OFF = """
DROP TRIGGER IF EXISTS append_only ON "patients_legalhold";
DROP TRIGGER IF EXISTS append_only_truncate ON "patients_legalhold";
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("patients", "0011_contact_exceptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
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
                ("matter", models.CharField(max_length=80, verbose_name="matter reference")),
                ("covers_from", models.DateField(blank=True, null=True, verbose_name="records from")),
                ("covers_until", models.DateField(blank=True, null=True, verbose_name="records until")),
                (
                    "record_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("person", "Demographics, contacts, last place"),
                                ("sessions", "Sessions, voice, check-ins"),
                                ("messages", "Messages"),
                                ("measures", "Measures"),
                                ("notes", "Notes"),
                                ("plans", "Plans, diagnoses, medications"),
                                ("safety_plans", "Safety plans"),
                                ("documents", "Documents"),
                                ("crisis", "Alerts, risk, follow-ups"),
                                ("appointments", "Appointments and billing"),
                                ("consents", "Consents"),
                            ],
                            max_length=16,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("reason", cortex.crypto.fields.SealedTextField()),
                ("issued_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                ("release_reason", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                (
                    "issued_by",
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
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_holds",
                        to="patients.patient",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-issued_at"],
                "indexes": [models.Index(fields=["patient", "-issued_at"], name="hold_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("covers_until__isnull", True),
                            ("covers_until__gte", models.F("covers_from")),
                            _connector="OR",
                        ),
                        name="hold_range_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "record_kinds__contained_by",
                                [
                                    "person",
                                    "sessions",
                                    "messages",
                                    "measures",
                                    "notes",
                                    "plans",
                                    "safety_plans",
                                    "documents",
                                    "crisis",
                                    "appointments",
                                    "consents",
                                ],
                            )
                        ),
                        name="hold_kinds_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("matter", ""), _negated=True), name="hold_names_a_matter"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("release_reason__isnull", True),
                                ("released_at__isnull", True),
                                ("released_by__isnull", True),
                            ),
                            models.Q(
                                ("release_reason__isnull", False),
                                ("released_at__isnull", False),
                                ("released_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="hold_release_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_by__isnull", True),
                            models.Q(("released_by", models.F("issued_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="hold_released_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_at__isnull", True),
                            ("released_at__gte", models.F("issued_at")),
                            _connector="OR",
                        ),
                        name="hold_released_after_issue",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=("patient", "matter"),
                        name="hold_once_a_matter",
                    ),
                ],
            },
        ),
        GuardRows("LegalHold"),
        migrations.RunSQL(GUARD, "DROP FUNCTION IF EXISTS patients_hold_stays()"),
        migrations.RunSQL(ON, OFF),
    ]
