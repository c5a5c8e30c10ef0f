"""Finds what somebody owes, which opens the person to them from a day before."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0023_tell_changes")]

    operations = [
        AddIndexConcurrently(
            model_name="followup",
            index=models.Index(
                fields=["owner", "due_at"], condition=Q(status__in=("due", "missed")), name="followup_owner"
            ),
        ),
    ]
