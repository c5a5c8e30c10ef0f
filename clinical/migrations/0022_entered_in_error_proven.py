"""Prove the rules of 0021 of the rows that are there; writers go on meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Not one transaction, so that a proof holds no lock that a save waits for; each may run again."""

    atomic = False
    dependencies = [("clinical", "0021_entered_in_error")]
    operations = [
        ValidateConstraint(model_name="diagnosis", name="diagnosis_in_error_is_ruled_out"),
        ValidateConstraint(model_name="medication", name="medication_in_error_is_stopped"),
    ]
