"""The trail: both logs, the inbox that a trigger fills, and the chain; append-only from the first row."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

import cortex.crypto.fields
import cortex.ids
from cortex.audit.operations import AppendOnly
from cortex.ops.partitions import PartitionedTable

# The application has no rights on the inbox: the trigger fills it as its owner, the sequencer empties it.
INBOX = """
CREATE FUNCTION cortex_audit_inbox() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO audit_auditinbox (trail, row_id) VALUES (TG_ARGV[0], NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER to_inbox AFTER INSERT ON audit_auditlog
    FOR EACH ROW EXECUTE FUNCTION cortex_audit_inbox('audit');
CREATE TRIGGER to_inbox AFTER INSERT ON audit_phiaccesslog
    FOR EACH ROW EXECUTE FUNCTION cortex_audit_inbox('access');
REVOKE INSERT, UPDATE, DELETE ON audit_auditinbox FROM cortex_app;
REVOKE INSERT, UPDATE ON audit_auditinbox FROM cortex_system;
REVOKE INSERT ON audit_auditlink FROM cortex_app;
"""
INBOX_BACK = """
DROP TRIGGER IF EXISTS to_inbox ON audit_auditlog;
DROP TRIGGER IF EXISTS to_inbox ON audit_phiaccesslog;
DROP FUNCTION IF EXISTS cortex_audit_inbox();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("access", "0001_roles")]

    operations = [
        migrations.CreateModel(
            name="AuditInbox",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("trail", models.CharField(max_length=16)),
                ("row_id", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("trail", models.CharField(max_length=16)),
                ("row_id", models.UUIDField()),
                ("row_digest", models.BinaryField()),
                ("previous_hash", models.BinaryField()),
                ("hash", models.BinaryField()),
                ("signature", models.BinaryField(null=True)),
                ("key_id", models.CharField(blank=True, max_length=16)),
                ("linked_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "audit link",
                "constraints": [models.UniqueConstraint(fields=("row_id",), name="one_link_per_row")],
            },
        ),
        migrations.CreateModel(
            name="AuditLog",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "organization_id",
                    models.UUIDField(help_text="Whose record it is; empty for the house itself.", null=True),
                ),
                ("actor_kind", models.CharField(max_length=8)),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_label", models.CharField(max_length=160)),
                ("actor_role", models.CharField(max_length=24)),
                ("purpose", models.CharField(blank=True, max_length=32)),
                ("subject", models.UUIDField(help_text="The patient, by bare id.", null=True)),
                ("object_type", models.CharField(blank=True, max_length=64)),
                ("object_id", models.UUIDField(null=True)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("ip_hash", models.CharField(blank=True, max_length=24)),
                ("session_hash", models.CharField(blank=True, max_length=24)),
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
                ("event_type", models.CharField(max_length=64)),
                ("outcome", models.CharField(default="done", max_length=16)),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                (
                    "codes",
                    models.JSONField(blank=True, default=dict, help_text="Codes, ids and numbers only."),
                ),
                ("details", cortex.crypto.fields.SealedJSONField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "audit row",
                "indexes": [
                    models.Index(fields=["organization_id", "-id"], name="audit_org"),
                    models.Index(fields=["subject", "-id"], name="audit_subject"),
                    models.Index(fields=["object_id", "-id"], name="audit_object"),
                    models.Index(fields=["event_type", "-id"], name="audit_verb"),
                    models.Index(fields=["actor_id", "-id"], name="audit_actor"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PhiAccessLog",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cortex.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "organization_id",
                    models.UUIDField(help_text="Whose record it is; empty for the house itself.", null=True),
                ),
                ("actor_kind", models.CharField(max_length=8)),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_label", models.CharField(max_length=160)),
                ("actor_role", models.CharField(max_length=24)),
                ("purpose", models.CharField(blank=True, max_length=32)),
                ("subject", models.UUIDField(help_text="The patient, by bare id.", null=True)),
                ("object_type", models.CharField(blank=True, max_length=64)),
                ("object_id", models.UUIDField(null=True)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("ip_hash", models.CharField(blank=True, max_length=24)),
                ("session_hash", models.CharField(blank=True, max_length=24)),
                ("legacy_ids", models.JSONField(blank=True, default=dict)),
                ("relationship", models.CharField(blank=True, max_length=48)),
                ("data_type", models.CharField(max_length=48)),
                (
                    "subjects",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        blank=True,
                        default=list,
                        help_text="The patients of a list.",
                        size=None,
                    ),
                ),
                (
                    "sections",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), blank=True, default=list, size=None
                    ),
                ),
                ("number_from", models.BigIntegerField(help_text="First feed number shown.", null=True)),
                ("number_to", models.BigIntegerField(help_text="Last feed number shown.", null=True)),
                (
                    "digest",
                    models.CharField(blank=True, help_text="Digest of the ids of a long run.", max_length=64),
                ),
                ("break_glass", models.UUIDField(null=True)),
            ],
            options={
                "verbose_name": "access row",
                "indexes": [
                    models.Index(fields=["organization_id", "-id"], name="access_org"),
                    models.Index(fields=["subject", "-id"], name="access_subject"),
                    models.Index(fields=["actor_id", "-id"], name="access_actor"),
                ],
            },
        ),
        PartitionedTable("PhiAccessLog", keep_days=2557),
        AppendOnly("AuditLog"),
        AppendOnly("PhiAccessLog"),
        AppendOnly("AuditLink"),
        migrations.RunSQL(INBOX, INBOX_BACK),
    ]
