"""Finds the open tasks of somebody, and which are due, without locking the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0031_ended_alerts_of_owners_index")]

    operations = [
        AddIndexConcurrently(
            model_name="reviewitem",
            index=models.Index(
                fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="review_owner"
            ),
        ),
    ]
