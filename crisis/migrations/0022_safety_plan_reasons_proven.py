"""Prove the rule of 0021 of the rows that are there; writers go on meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Not one transaction, so that the proof holds no lock that a save waits for; it may run again."""

    atomic = False
    dependencies = [("crisis", "0021_safety_plan_spells")]
    operations = [ValidateConstraint(model_name="safetyplan", name="safety_plan_reason_known")]
