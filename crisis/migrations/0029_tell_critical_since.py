"""Since when an alert is critical, and that it was none, tells too: the screeners after a crisis hang on it."""

from django.db import migrations

from patients.changes.operations import TellChanges


class Migration(migrations.Migration):
    """Not one transaction, as the first one; it may run again."""

    atomic = False
    dependencies = [("crisis", "0028_levels_entered"), ("patients", "0013_changes")]
    operations = [
        # When it was raised is read by the release before, which may run beside this one.
        TellChanges(
            "RiskAlert", "level", "raised_at", "level_since", "status", before=("level", "raised_at")
        ),
    ]
