"""Which safety plan was in force when a treatment plan was saved."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinical", "0010_note_diagnoses"),
        ("crisis", "0019_safety_plans"),
    ]

    operations = [
        migrations.AddField(
            model_name="treatmentplan",
            name="safety_plan",
            field=models.ForeignKey(
                blank=True,
                help_text="The version in force when last saved.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crisis.safetyplan",
            ),
        ),
    ]
