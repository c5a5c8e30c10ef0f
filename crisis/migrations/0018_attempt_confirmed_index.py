"""Finds the new alerts that somebody has heard of by one look each, not by all that was ever sent for them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0017_engine_settings")]

    operations = [
        AddIndexConcurrently(
            model_name="notificationattempt",
            index=models.Index(fields=["alert"], condition=Q(state="confirmed"), name="attempt_confirmed"),
        ),
    ]
