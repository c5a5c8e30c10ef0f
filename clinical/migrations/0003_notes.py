"""Notes, process notes and their addenda, which a trigger holds once they are signed."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.access.rows import GuardRows
from cortex.audit.operations import AppendOnly

# The trigger's name and argument are those of append-only tables: whoever seals rows anew under another key
# (decision 26) or erases a person looks for them. What may still change is named; nothing else may.
GUARD = """
CREATE OR REPLACE FUNCTION clinical_signed_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
DECLARE
    free text[] := ARRAY['cosigned_at', 'cosigned_by_id', 'sensitivity_labels', 'reminded_at', 'updated_at'];
BEGIN
    IF current_user = 'cortex_eraser' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.author_id = NEW.author_id AND OLD.patient_id = NEW.patient_id AND (
            OLD.signed_at IS NULL
            OR to_jsonb(NEW) - free = to_jsonb(OLD) - free
            AND (to_jsonb(OLD)->>'cosigned_at' IS NULL
                 OR to_jsonb(NEW)->>'cosigned_at' = to_jsonb(OLD)->>'cosigned_at'
                 AND to_jsonb(NEW)->>'cosigned_by_id' = to_jsonb(OLD)->>'cosigned_by_id')
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% keeps what was signed: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
SIGNED = ("note", "psychotherapynote", "noteaddendum", "psychotherapynoteaddendum")
ON = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "clinical_{0}"
FOR EACH ROW EXECUTE FUNCTION clinical_signed_stays('erasable');
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "clinical_{0}"
FOR EACH STATEMENT EXECUTE FUNCTION cortex_append_only('kept');
REVOKE DELETE, TRUNCATE ON "clinical_{0}" FROM cortex_app, cortex_system;
GRANT SELECT, UPDATE, DELETE ON "clinical_{0}" TO cortex_eraser;
"""
OFF = """
DROP TRIGGER IF EXISTS append_only ON "clinical_{0}";
DROP TRIGGER IF EXISTS append_only_truncate ON "clinical_{0}";
"""
MODELS = (
    "Note", "NoteVersion", "NoteAddendum", "PsychotherapyNote", "PsychotherapyNoteVersion",
    "PsychotherapyNoteAddendum", "TextBlock",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_trainees"),
        ("clinical", "0002_case_marks"),
        ("patients", "0008_rows_by_organization"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Note",
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
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("signed", "Signed"), ("discarded", "Discarded")],
                        default="draft",
                        max_length=12,
                    ),
                ),
                (
                    "occurred_at",
                    models.DateTimeField(help_text="When the contact was that the note is about."),
                ),
                ("free_text", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("saved_at", models.DateTimeField()),
                ("spell", models.UUIDField(default=cortex.ids.uuid7, help_text="The page that saved last.")),
                ("spell_number", models.PositiveIntegerField(default=0, help_text="Its newest save.")),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "content_hash",
                    models.BinaryField(
                        help_text="Key version and HMAC of what was signed, by the person's own key.",
                        max_length=34,
                        null=True,
                    ),
                ),
                (
                    "note_type",
                    models.CharField(
                        choices=[
                            ("soap", "SOAP"),
                            ("progress", "Progress"),
                            ("crisis", "Crisis"),
                            ("session_note", "Session note"),
                            ("supervision", "Supervision"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subjective", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("objective", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("assessment", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("risk_statement", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("plan", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("follow_up_on", models.DateField(null=True)),
                ("level_at_signing", models.CharField(blank=True, max_length=12)),
                ("needs_cosign", models.BooleanField(default=False, help_text="Its author is a trainee.")),
                ("cosigned_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "cosigned_by",
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
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "ordering": ["-occurred_at"],
            },
        ),
        migrations.CreateModel(
            name="NoteAddendum",
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
                ("text", cortex.crypto.fields.SealedTextField()),
                ("signed_at", models.DateTimeField(null=True)),
                ("content_hash", models.BinaryField(max_length=34, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="addenda",
                        to="clinical.note",
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
                "verbose_name_plural": "note addenda",
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="NoteVersion",
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
                    "number",
                    models.PositiveIntegerField(
                        help_text="The note's version that it was, or was made from."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("spell", "Before another spell of writing"),
                            ("conflict", "Written elsewhere at the same time"),
                        ],
                        max_length=12,
                    ),
                ),
                ("sections", cortex.crypto.fields.SealedJSONField(help_text="{field: text}")),
                ("content_hash", models.BinaryField(max_length=34)),
                ("saved_at", models.DateTimeField()),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="clinical.note",
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
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-saved_at"],
            },
        ),
        migrations.CreateModel(
            name="PsychotherapyNote",
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
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("signed", "Signed"), ("discarded", "Discarded")],
                        default="draft",
                        max_length=12,
                    ),
                ),
                (
                    "occurred_at",
                    models.DateTimeField(help_text="When the contact was that the note is about."),
                ),
                ("free_text", cortex.crypto.fields.SealedTextField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("saved_at", models.DateTimeField()),
                ("spell", models.UUIDField(default=cortex.ids.uuid7, help_text="The page that saved last.")),
                ("spell_number", models.PositiveIntegerField(default=0, help_text="Its newest save.")),
                (
                    "sensitivity_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "content_hash",
                    models.BinaryField(
                        help_text="Key version and HMAC of what was signed, by the person's own key.",
                        max_length=34,
                        null=True,
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
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
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.session",
                    ),
                ),
            ],
            options={
                "verbose_name": "psychotherapy note",
                "ordering": ["-occurred_at"],
            },
        ),
        migrations.CreateModel(
            name="PsychotherapyNoteAddendum",
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
                ("text", cortex.crypto.fields.SealedTextField()),
                ("signed_at", models.DateTimeField(null=True)),
                ("content_hash", models.BinaryField(max_length=34, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="addenda",
                        to="clinical.psychotherapynote",
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
                "verbose_name": "psychotherapy note addendum",
                "verbose_name_plural": "psychotherapy note addenda",
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="PsychotherapyNoteVersion",
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
                    "number",
                    models.PositiveIntegerField(
                        help_text="The note's version that it was, or was made from."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("spell", "Before another spell of writing"),
                            ("conflict", "Written elsewhere at the same time"),
                        ],
                        max_length=12,
                    ),
                ),
                ("sections", cortex.crypto.fields.SealedJSONField(help_text="{field: text}")),
                ("content_hash", models.BinaryField(max_length=34)),
                ("saved_at", models.DateTimeField()),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="clinical.psychotherapynote",
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
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "psychotherapy note version",
                "ordering": ["-saved_at"],
            },
        ),
        migrations.CreateModel(
            name="TextBlock",
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
                ("title", models.CharField(max_length=60)),
                (
                    "note_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("soap", "SOAP"),
                            ("progress", "Progress"),
                            ("crisis", "Crisis"),
                            ("session_note", "Session note"),
                            ("supervision", "Supervision"),
                        ],
                        help_text="Which notes begin with it; empty: a phrase.",
                        max_length=16,
                    ),
                ),
                (
                    "sections",
                    cortex.crypto.fields.SealedJSONField(
                        help_text="{field: text}; a phrase has its text under `text`."
                    ),
                ),
                ("retired_at", models.DateTimeField(null=True)),
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
            ],
            options={
                "verbose_name": "text block",
                "ordering": ["title"],
            },
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["patient", "-occurred_at"], name="note_patient"),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(
                condition=models.Q(("status", "draft")), fields=["author", "created_at"], name="note_unsigned"
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(
                condition=models.Q(("cosigned_at__isnull", True), ("needs_cosign", True)),
                fields=["organization", "signed_at"],
                name="note_to_cosign",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["discarded", "draft", "signed"])), name="note_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("content_hash__isnull", False), ("signed_at__isnull", False), ("status", "signed")
                    ),
                    models.Q(
                        models.Q(("status", "signed"), _negated=True),
                        ("content_hash__isnull", True),
                        ("signed_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="note_signed_is_hashed",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="note_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("note_type__in", ["crisis", "progress", "session_note", "soap", "supervision"])
                ),
                name="note_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity_labels__contains", ["PSYTHPN"]), _negated=True),
                name="note_is_no_process_note",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cosigned_at__isnull", True), ("cosigned_by__isnull", True)),
                    models.Q(
                        ("cosigned_at__isnull", False),
                        ("cosigned_by__isnull", False),
                        ("signed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="note_cosigned_when_signed",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cosigned_by__isnull", True),
                    models.Q(("cosigned_by", models.F("author")), _negated=True),
                    _connector="OR",
                ),
                name="note_cosigned_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source000.sessions", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source000.sessions")),
                name="note_key_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                django.db.models.fields.json.KeyTextTransform("source003.Session", "legacy_ids"),
                condition=models.Q(("legacy_ids__has_key", "source003.Session")),
                name="note_key_2",
            ),
        ),
        migrations.AddConstraint(
            model_name="noteaddendum",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("content_hash__isnull", True), ("signed_at__isnull", True)),
                    models.Q(("content_hash__isnull", False), ("signed_at__isnull", False)),
                    _connector="OR",
                ),
                name="addendum_signed_is_hashed",
            ),
        ),
        migrations.AddConstraint(
            model_name="noteaddendum",
            constraint=models.UniqueConstraint(
                condition=models.Q(("signed_at__isnull", True)),
                fields=("note", "author"),
                name="addendum_one_unsigned",
            ),
        ),
        migrations.AddConstraint(
            model_name="noteversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["conflict", "spell"])), name="note_version_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="psychotherapynote",
            index=models.Index(fields=["patient", "-occurred_at"], name="process_patient"),
        ),
        migrations.AddIndex(
            model_name="psychotherapynote",
            index=models.Index(fields=["author", "-occurred_at"], name="process_author"),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynote",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["discarded", "draft", "signed"])),
                name="process_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("content_hash__isnull", False), ("signed_at__isnull", False), ("status", "signed")
                    ),
                    models.Q(
                        models.Q(("status", "signed"), _negated=True),
                        ("content_hash__isnull", True),
                        ("signed_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="process_signed_is_hashed",
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sensitivity_labels__contained_by",
                        ["N", "R", "V", "PSYTHPN", "SUD_PART2", "HIV", "GBV", "MINOR"],
                    )
                ),
                name="process_labels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynote",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity_labels__contains", ["PSYTHPN"])), name="process_is_labelled"
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynoteaddendum",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("content_hash__isnull", True), ("signed_at__isnull", True)),
                    models.Q(("content_hash__isnull", False), ("signed_at__isnull", False)),
                    _connector="OR",
                ),
                name="process_addendum_signed_is_hashed",
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynoteaddendum",
            constraint=models.UniqueConstraint(
                condition=models.Q(("signed_at__isnull", True)),
                fields=("note", "author"),
                name="process_addendum_one_unsigned",
            ),
        ),
        migrations.AddConstraint(
            model_name="psychotherapynoteversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["conflict", "spell"])), name="process_version_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="textblock",
            index=models.Index(fields=["organization", "owner"], name="text_block_owner"),
        ),
        migrations.AddConstraint(
            model_name="textblock",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("note_type__in", ["", "crisis", "progress", "session_note", "soap", "supervision"])
                ),
                name="text_block_type_known",
            ),
        ),
        *[GuardRows(model) for model in MODELS],
        AppendOnly("NoteVersion", erasable=True),
        AppendOnly("PsychotherapyNoteVersion", erasable=True),
        migrations.RunSQL(GUARD, "DROP FUNCTION IF EXISTS clinical_signed_stays()"),
        *[migrations.RunSQL(ON.format(table), OFF.format(table)) for table in SIGNED],
    ]
