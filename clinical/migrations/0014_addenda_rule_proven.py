"""Prove the rule of 0013 of the rows that are there; writers go on meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Not one transaction, so that a proof holds no lock that a save waits for; each may run again."""

    atomic = False
    dependencies = [("clinical", "0013_addenda_as_written")]
    operations = [
        ValidateConstraint(model_name="noteaddendum", name="addendum_signed_says_something"),
        ValidateConstraint(
            model_name="psychotherapynoteaddendum", name="process_addendum_signed_says_something"
        ),
    ]
