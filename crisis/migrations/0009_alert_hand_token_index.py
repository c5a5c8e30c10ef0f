"""Finds the alert of a form that was sent twice; built while the desk goes on working."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0008_alert_evidence_and_hand_token")]

    operations = [
        AddIndexConcurrently(
            model_name="riskalert",
            index=models.Index(
                condition=models.Q(("hand_token__isnull", False)),
                fields=["hand_token"],
                name="alert_hand_token",
            ),
        ),
    ]
