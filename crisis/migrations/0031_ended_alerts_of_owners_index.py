"""Finds what somebody ended within a day among all that they ever ended, without locking the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0030_cancelled_for")]

    operations = [
        AddIndexConcurrently(
            model_name="riskalert",
            index=models.Index(
                fields=["assigned_to", "resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="alert_owner_ended",
            ),
        ),
    ]
