"""Whether a clinician is in training, so that a supervisor signs their notes too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_second_factors")]

    operations = [
        migrations.AddField(
            model_name="staffprofile",
            name="is_trainee",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A supervisor signs their notes too.",
                verbose_name="in training",
            ),
        ),
    ]
