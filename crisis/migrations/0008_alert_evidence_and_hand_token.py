"""What an alert was raised on, row by row, and the form that staff raised it by."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crisis", "0007_intake_words_told")]

    operations = [
        migrations.AddField(
            model_name="riskalert",
            name="evidence",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                blank=True,
                default=list,
                help_text="The ledger's rows that it was raised on.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="riskalert",
            name="hand_token",
            field=models.UUIDField(help_text="The form that staff raised it by: one alert each.", null=True),
        ),
    ]
