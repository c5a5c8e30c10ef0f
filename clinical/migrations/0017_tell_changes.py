"""Measures and their schedules tell when they change, for the lists that keep what they read."""

from django.db import migrations

from patients.changes.operations import TellChanges


class Migration(migrations.Migration):
    """Not one transaction, so that one table is locked at a time; each step may run again."""

    atomic = False
    dependencies = [("clinical", "0016_sessions_counted"), ("patients", "0013_changes")]
    operations = [
        # Written once, but for what a legal correction may change.
        TellChanges(
            "Assessment",
            "instrument_id",
            "administered_at",
            "total",
            "band",
            "prorated",
            "is_valid",
            "flags",
            "supersedes_id",
        ),
        TellChanges("MeasurePlan", "key", "interval_days", "is_paused", "paused_until"),
    ]
