"""Safety plans are saved as they are written: which page saved last, and words that lie beside a plan.

Pages of the version before add drafts meanwhile: the new columns have a value without them, and no rule of
their own, which would be proven of every row under a lock that each reader waits for. Going back calls what
lies beside a plan discarded.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from patients.bounds import one_of

REASONS = ["", "beside", "declined", "discarded", "elsewhere", "mistaken"]
BACK = "UPDATE crisis_safetyplan SET retire_reason = 'discarded' WHERE retire_reason = 'beside'"


class Migration(migrations.Migration):
    dependencies = [("crisis", "0020_safety_plan_means_index")]

    operations = [
        migrations.AddField(
            model_name="safetyplan",
            name="spell",
            field=models.UUIDField(blank=True, help_text="The open page that saved last.", null=True),
        ),
        migrations.AddField(
            model_name="safetyplan",
            name="spell_number",
            field=models.IntegerField(db_default=0, default=0, help_text="Its newest save."),
        ),
        migrations.RemoveConstraint(model_name="safetyplan", name="safety_plan_reason_known"),
        migrations.RunSQL(migrations.RunSQL.noop, BACK),
        AddConstraintNotValid(
            model_name="safetyplan", constraint=one_of("retire_reason", REASONS, "safety_plan_reason_known")
        ),
    ]
