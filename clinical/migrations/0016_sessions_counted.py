"""When a planned intervention's session was counted last, and how; pages of the version before write on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinical", "0015_allergies")]

    operations = [
        migrations.AddField(
            model_name="plannedintervention",
            name="held_on",
            field=models.DateField(
                blank=True, help_text="The person's day of the one counted last.", null=True
            ),
        ),
        migrations.AddField(
            model_name="plannedintervention",
            name="held_that_day",
            field=models.SmallIntegerField(default=0, db_default=0, help_text="How many on that day."),
        ),
        migrations.AddField(
            model_name="plannedintervention",
            name="by_hand",
            field=models.SmallIntegerField(
                default=0,
                db_default=0,
                help_text="Of those, how many by hand that no session's log has named since.",
            ),
        ),
    ]
