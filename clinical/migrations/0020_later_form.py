"""The C-SSRS's form since the last contact beside the first one; its wording is the operator's to load."""

from django.db import migrations

from clinical.assessments.definitions import raw_packaged

KEY = "cssrs_since"


def install(apps, schema_editor):
    """Write the packaged form; a new database has it from the first migration already."""
    raw = next(one for one in raw_packaged() if one["key"] == KEY)
    apps.get_model("clinical", "Instrument").objects.update_or_create(
        key=raw["key"],
        version=raw["version"],
        defaults={
            "title": raw["title"],
            "definition": raw,
            "licence": raw["licence"],
            "credit": raw["credit"],
            "is_enabled": raw["is_enabled"],
        },
    )


def withdraw(apps, schema_editor):
    """Stop offering it; what was answered in it stays, as an instrument of its own."""
    apps.get_model("clinical", "Instrument").objects.filter(key=KEY).update(is_enabled=False)


class Migration(migrations.Migration):
    dependencies = [("clinical", "0019_addenda_cosigned_proven")]

    operations = [migrations.RunPython(install, withdraw)]
