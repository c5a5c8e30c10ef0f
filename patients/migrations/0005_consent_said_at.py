"""A consent counts from `recorded_at`; when it was said, by its sender's clock, stands beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_voice_extraction_error")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="said_at",
            field=models.DateTimeField(
                blank=True, help_text="When the person decided, by the clock of who sent it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="consent",
            name="recorded_at",
            field=models.DateTimeField(
                help_text="From when it counts: a withdrawal counts from its receipt."
            ),
        ),
    ]
