"""Prove the rule of 0014 of the rows that are there; writers go on meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Reads the table once, under a lock that stops nobody."""

    dependencies = [("crisis", "0014_canary")]
    operations = [ValidateConstraint(model_name="riskalert", name="alert_has_patient")]
