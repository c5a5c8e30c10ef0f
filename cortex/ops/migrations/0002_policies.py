"""The retention rules of the house's own rows (domain 7.3)."""

from typing import Any

from django.db import migrations

RULES = [
    ("ops.TelemetryEvent", "occurred_at", 730, "pseudonymous; the pseudonym's key rotates yearly"),
    ("ops.ServiceMetric", "recorded_at", 31, "operation of the service"),
]


def add_rules(apps: Any, schema_editor: Any) -> None:
    """Add one row per rule."""
    policy = apps.get_model("ops", "RetentionPolicy")
    for model, field, days, basis in RULES:
        policy.objects.get_or_create(
            model=model, basis_field=field, action="delete", defaults={"days": days, "legal_basis": basis}
        )


class Migration(migrations.Migration):
    """Rows that the runner reads; a number changed later in the admin stays."""

    dependencies = [("ops", "0001_initial")]
    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
