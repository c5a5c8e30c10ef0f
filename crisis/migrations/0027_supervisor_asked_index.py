"""Finds the follow-ups about which a supervisor is asked, without locking the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0026_follow_up_answers")]

    operations = [
        AddIndexConcurrently(
            model_name="followup",
            index=models.Index(
                fields=["supervisor_at"], condition=Q(supervisor_at__isnull=False), name="followup_supervisor"
            ),
        ),
    ]
