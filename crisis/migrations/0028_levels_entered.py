"""Finds when somebody came to a level above low, however often they were looked at since."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0027_supervisor_asked_index")]

    operations = [
        AddIndexConcurrently(
            model_name="riskassessment",
            index=models.Index(
                fields=["patient", "computed_at"],
                condition=Q(entered_level_at=F("computed_at"), level__in=["medium", "high", "critical"]),
                name="assessment_entered",
            ),
        ),
    ]
