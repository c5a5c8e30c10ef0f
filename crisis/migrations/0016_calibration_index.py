"""Finds the alerts of a period for the calibration report; built while the desk goes on working."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0015_canary_rule_proven")]

    operations = [
        AddIndexConcurrently(
            model_name="riskalert",
            index=models.Index(fields=["organization", "-raised_at"], name="alert_raised"),
        ),
    ]
