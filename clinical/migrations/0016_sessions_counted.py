"""When a planned intervention's session was counted last, and whether by hand; pages of before write on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinical", "0015_allergies")]

    operations = [
        migrations.AddField(
            model_name="plannedintervention",
            name="held_by_hand",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It was counted by hand, and by no session's log since.",
            ),
        ),
        migrations.AddField(
            model_name="plannedintervention",
            name="held_on",
            field=models.DateField(
                blank=True, help_text="The person's day of the one counted last.", null=True
            ),
        ),
    ]
