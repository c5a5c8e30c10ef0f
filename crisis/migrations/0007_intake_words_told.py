"""An item id remembers digests of the words behind it, so that it can't hide others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crisis", "0006_notifications_of_one_thing")]

    operations = [
        migrations.AddField(
            model_name="intakekey",
            name="told",
            field=models.BinaryField(
                help_text="Keyed digest of the words that were evidence last.", null=True
            ),
        ),
        migrations.AddField(
            model_name="intakekey",
            name="words",
            field=models.BinaryField(
                help_text="Keyed digest of the words that were stored under it.", null=True
            ),
        ),
    ]
