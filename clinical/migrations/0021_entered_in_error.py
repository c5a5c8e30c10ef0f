"""What was recorded for the wrong person is marked: columns that no row is rewritten for.

An entry in error stands as ruled out, or as stopped, so that pages of the version before leave it out too.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

HELP = "What it was when it was marked as entered in error; undoing gives it back."
SURE = [
    ("provisional", "Provisional"),
    ("confirmed", "Confirmed"),
    ("remission", "In remission"),
    ("ruled_out", "Ruled out"),
]
TAKEN = [("active", "Taken now"), ("on_hold", "Paused"), ("stopped", "Stopped")]


def stands_as(status, choices, name):
    """Return the rule that an entry in error knows what it was, and stands as what is over."""
    known = models.Q(("status", status), ("status_before__in", sorted(code for code, _ in choices)))
    return models.CheckConstraint(
        condition=models.Q(("status_before", ""), known, _connector="OR"), name=name
    )


class Migration(migrations.Migration):
    """One transaction that reads no row: after a lock that it didn't get, it runs again from the start."""

    dependencies = [("clinical", "0020_later_form")]
    operations = [
        migrations.AddField(
            model_name="diagnosis",
            name="status_before",
            field=models.CharField(
                blank=True, choices=SURE, db_default="", default="", help_text=HELP, max_length=12
            ),
        ),
        migrations.AddField(
            model_name="medication",
            name="status_before",
            field=models.CharField(
                blank=True, choices=TAKEN, db_default="", default="", help_text=HELP, max_length=8
            ),
        ),
        AddConstraintNotValid(
            model_name="diagnosis",
            constraint=stands_as("ruled_out", SURE, "diagnosis_in_error_is_ruled_out"),
        ),
        AddConstraintNotValid(
            model_name="medication",
            constraint=stands_as("stopped", TAKEN, "medication_in_error_is_stopped"),
        ),
    ]
