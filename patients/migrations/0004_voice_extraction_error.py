"""A voice session that can't be read is marked, so that the ones behind it are extracted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_alter_consent_scope")]

    operations = [
        migrations.AddField(
            model_name="voicesession",
            name="extraction_error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why it can't be read: the error's class. New content is tried again.",
                max_length=40,
            ),
        ),
    ]
