"""Whose end cancelled what another alert had promised: it comes back when that end is taken back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be empty: one short lock, and no row is written."""

    dependencies = [("crisis", "0029_tell_critical_since")]
    operations = [
        migrations.AddField(
            model_name="followup",
            name="cancelled_for",
            field=models.UUIDField(
                blank=True,
                help_text="The alert whose end cancelled what another one had promised.",
                null=True,
            ),
        ),
    ]
