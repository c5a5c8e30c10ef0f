"""Notifications that a claim or an end has overtaken have a state of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crisis", "0002_guards"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notificationattempt",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting to be sent or seen"),
                    ("sent", "Sent, not confirmed"),
                    ("confirmed", "Confirmed"),
                    ("failed", "Failed, will be tried again"),
                    ("dead", "Given up"),
                    ("overtaken", "No longer needed"),
                ],
                default="pending",
                max_length=12,
            ),
        ),
    ]
