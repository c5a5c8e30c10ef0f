"""What crisis work knows of a person tells when it changes, for the lists that keep what they read."""

from django.db import migrations

from patients.changes.operations import TellChanges


class Migration(migrations.Migration):
    """Not one transaction, so that one table is locked at a time; each step may run again."""

    atomic = False
    dependencies = [("crisis", "0022_safety_plan_reasons_proven"), ("patients", "0013_changes")]
    operations = [
        # Written once, but for what a legal correction may change.
        TellChanges("RiskAssessment", "level", "computed_at", "entered_level_at"),
        TellChanges("Evidence", "domain", "code", "tier", "value", "status", "observed_at", "refuted_at"),
        TellChanges("RiskAlert", "level", "raised_at"),
    ]
