"""Finds the first and the last of a measure's course by one look each, however many years it has."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("clinical", "0011_safety_plan")]

    operations = [
        AddIndexConcurrently(
            model_name="assessment",
            index=models.Index(
                fields=["patient", "instrument", "administered_at", "id"], name="assessment_course"
            ),
        ),
    ]
