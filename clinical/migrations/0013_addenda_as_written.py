"""Addenda are saved as they are written: versions, spells, texts kept beside them, drafts emptied again.

Signed rows are held by a trigger, so every column that is added to them has one value for all, which
PostgreSQL keeps beside the table and gives whatever pages of the version before add meanwhile.
"""

from uuid import UUID

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import cortex.crypto.fields
import cortex.ids

TABLES = {"addendum": "NoteAddendum", "process_addendum": "PsychotherapyNoteAddendum"}
# Before this, a row always had a text: what was taken out again leaves when the column is to be full.
FULL = """
ALTER TABLE "clinical_{0}" DISABLE TRIGGER append_only;
DELETE FROM "clinical_{0}" WHERE text IS NULL;
ALTER TABLE "clinical_{0}" ENABLE TRIGGER append_only;
"""


def drafted(table: str) -> list[Operation]:
    """What a draft has that is saved as it is written."""
    return [
        migrations.AlterField(
            model_name=table,
            name="text",
            field=cortex.crypto.fields.SealedTextField(
                help_text="Empty: what was typed was taken out again.", null=True
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, FULL.format(table.lower())),
        migrations.AddField(
            model_name=table, name="version", field=models.PositiveIntegerField(db_default=1, default=1)
        ),
        migrations.AddField(
            model_name=table,
            name="spell",
            field=models.UUIDField(
                db_default=UUID(int=0), default=cortex.ids.uuid7, help_text="The page that saved last."
            ),
        ),
        migrations.AddField(
            model_name=table,
            name="spell_number",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="Its newest save."),
        ),
    ]  # fmt: skip


def says(name: str, table: str) -> AddConstraintNotValid:
    """What is signed holds a text."""
    rule = models.CheckConstraint(
        condition=models.Q(("signed_at__isnull", True), ("text__isnull", False), _connector="OR"),
        name=f"{name}_signed_says_something",
    )
    return AddConstraintNotValid(model_name=table, constraint=rule)


def kept_beside(table: str) -> migrations.AddField:
    """Which addendum a text was written for; empty: the note itself."""
    return migrations.AddField(
        model_name=f"{table.removesuffix('Addendum')}Version",
        name="addendum",
        field=models.ForeignKey(
            db_index=False,
            null=True,
            on_delete=django.db.models.deletion.PROTECT,
            related_name="versions",
            to=f"clinical.{table.lower()}",
        ),
    )


class Migration(migrations.Migration):
    """One transaction that reads no row: after a lock that it didn't get, it runs again from the start."""

    dependencies = [("clinical", "0012_assessment_course_index")]
    operations = [
        *[one for table in TABLES.values() for one in drafted(table)],
        *[kept_beside(table) for table in TABLES.values()],
        *[says(name, table) for name, table in TABLES.items()],
    ]
