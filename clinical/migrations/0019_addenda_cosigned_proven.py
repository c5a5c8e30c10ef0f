"""Prove the rules of 0018 of the rows that are there, and find what waits; writers go on meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """Not one transaction, so that a proof holds no lock that a save waits for; each may run again."""

    atomic = False
    dependencies = [("clinical", "0018_addenda_cosigned")]
    operations = [
        ValidateConstraint(model_name="noteaddendum", name="addendum_cosigned_when_signed"),
        ValidateConstraint(model_name="noteaddendum", name="addendum_cosigned_by_another"),
        AddIndexConcurrently(
            model_name="noteaddendum",
            index=models.Index(
                condition=models.Q(("cosigned_at__isnull", True), ("needs_cosign", True)),
                fields=["organization", "signed_at"],
                name="addendum_to_cosign",
            ),
        ),
    ]
