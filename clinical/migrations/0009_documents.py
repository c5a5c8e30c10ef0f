"""Documents of a chart and their sealed pieces, held by triggers and guarded by organization."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows
from cortex.audit.operations import AppendOnly

# As signed notes have it (0003): the trigger's name and argument are those of append-only tables, which whoever
# seals rows anew under another key or erases a person looks for. The mark of an error is made once.
GUARD = """
CREATE OR REPLACE FUNCTION clinical_document_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
DECLARE
    mark text[] := ARRAY['entered_in_error_at', 'entered_in_error_by_id', 'error_reason'];
    free text[] := ARRAY['sensitivity_labels', 'updated_at'] || CASE
        WHEN OLD.entered_in_error_at IS NULL THEN mark ELSE ARRAY[]::text[] END;
BEGIN
    IF current_user = 'cortex_eraser' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - free = to_jsonb(OLD) - free THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% keeps what was brought: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
ON = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "clinical_document"
FOR EACH ROW EXECUTE FUNCTION clinical_document_stays('erasable');
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "clinical_document"
FOR EACH STATEMENT EXECUTE FUNCTION cortex_append_only('kept');
REVOKE DELETE, TRUNCATE ON "clinical_document" FROM cortex_app, cortex_system;
GRANT SELECT, UPDATE, DELETE ON "clinical_document" TO cortex_eraser;
"""
OFF = """
DROP TRIGGER IF EXISTS append_only ON "clinical_document";
DROP TRIGGER IF EXISTS append_only_truncate ON "clinical_document";
"""
# What is sealed can't be made smaller: PostgreSQL need not try.
PLAIN = 'ALTER TABLE "clinical_documentchunk" ALTER COLUMN "content" SET STORAGE {}'


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("clinical", "0008_overview"),
        ("patients", "0010_ways"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Document",
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
                            ("referral_letter", "Referral letter"),
                            ("discharge_summary", "Discharge summary"),
                            ("report", "Report"),
                            ("consent_form", "Consent form"),
                            ("identity", "Identity"),
                            ("correspondence", "Correspondence"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", cortex.crypto.fields.SealedCharField(max_length=200)),
                ("language", models.CharField(blank=True, max_length=8)),
                (
                    "received_on",
                    models.DateField(help_text="When the paper came; empty: not known.", null=True),
                ),
                (
                    "media_type",
                    models.CharField(
                        choices=[
                            ("application/pdf", "PDF"),
                            ("image/png", "PNG image"),
                            ("image/jpeg", "JPEG image"),
                            ("text/plain", "Plain text"),
                        ],
                        max_length=20,
                    ),
                ),
                ("byte_size", models.PositiveIntegerField()),
                (
                    "sha256",
                    cortex.crypto.fields.SealedBytesField(
                        help_text="Sealed: a bare digest would tell whoever has the same file that this person has it.",
                        max_length=32,
                    ),
                ),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                (
                    "upload_id",
                    models.UUIDField(help_text="Of the form that sent it: sent twice, it is kept once."),
                ),
                ("uploaded_at", models.DateTimeField()),
                ("entered_in_error_at", models.DateTimeField(null=True)),
                ("error_reason", cortex.crypto.fields.SealedTextField(max_length=1000, null=True)),
                (
                    "entered_in_error_by",
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
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-uploaded_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="DocumentChunk",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("content", cortex.crypto.fields.SealedBytesField(max_length=65536)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="clinical.document",
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
                "verbose_name": "document piece",
                "ordering": ["document", "position"],
            },
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["patient", "-uploaded_at", "-id"], name="document_patient"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "consent_form",
                            "correspondence",
                            "discharge_summary",
                            "identity",
                            "other",
                            "referral_letter",
                            "report",
                        ],
                    )
                ),
                name="document_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("media_type__in", ["application/pdf", "image/jpeg", "image/png", "text/plain"])
                ),
                name="document_media_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["", "en", "other", "sheng", "sw"])),
                name="document_language_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("byte_size__gte", 1), ("byte_size__lte", 10485760)),
                    ("byte_size__isnull", True),
                    _connector="OR",
                ),
                name="document_size_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="document_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity_labels__contains", ["PSYTHPN"]), _negated=True),
                name="document_is_no_process_note",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("entered_in_error_at__isnull", True),
                        ("entered_in_error_by__isnull", True),
                        ("error_reason__isnull", True),
                    ),
                    models.Q(
                        ("entered_in_error_at__isnull", False),
                        ("entered_in_error_by__isnull", False),
                        ("error_reason__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="document_error_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                fields=("uploaded_by", "upload_id"), name="document_sent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="documentchunk",
            constraint=models.UniqueConstraint(fields=("document", "position"), name="document_piece_once"),
        ),
        migrations.AddConstraint(
            model_name="documentchunk",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("position__gte", 0), ("position__lte", 159)),
                    ("position__isnull", True),
                    _connector="OR",
                ),
                name="document_piece_position",
            ),
        ),
        migrations.AddConstraint(
            model_name="documentchunk",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.LessThanOrEqual(
                    models.Func("content", function="octet_length", output_field=models.IntegerField()), 65568
                ),
                name="document_piece_size",
            ),
        ),
        GuardRows("Document"),
        GuardRows("DocumentChunk"),
        AppendOnly("DocumentChunk", erasable=True),
        migrations.RunSQL(GUARD, "DROP FUNCTION IF EXISTS clinical_document_stays()"),
        migrations.RunSQL(ON, OFF),
        migrations.RunSQL(PLAIN.format("EXTERNAL"), PLAIN.format("EXTENDED")),
    ]
