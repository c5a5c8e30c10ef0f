"""Finds the plans whose step 6 is looked at again by their day, beside those whose review comes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("crisis", "0019_safety_plans")]

    operations = [
        AddIndexConcurrently(
            model_name="safetyplan",
            index=models.Index(
                fields=["means_review_on"], condition=Q(status="current"), name="safety_plan_means"
            ),
        ),
    ]
