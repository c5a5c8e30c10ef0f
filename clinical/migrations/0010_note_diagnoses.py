"""Which diagnoses a note is about. The rule is added unproven, then proven beside running writes."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """Not one transaction, so that the proof holds no lock that a save waits for."""

    atomic = False
    dependencies = [("clinical", "0009_documents")]
    operations = [
        migrations.AddField(
            model_name="note",
            name="diagnoses",
            field=ArrayField(
                base_field=models.UUIDField(), blank=True, default=list, size=None,
                help_text="What it is about: diagnoses of its person.",
            ),
        ),
        AddConstraintNotValid(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("diagnoses", []), ("note_type__in", ("soap", "progress", "crisis")),
                                   _connector="OR"),
                name="note_diagnoses_where_assessed",
            ),
        ),
        ValidateConstraint(model_name="note", name="note_diagnoses_where_assessed"),
    ]  # fmt: skip
