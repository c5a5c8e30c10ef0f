"""Timelines and evaluations are written once; default clocks and chains exist from the first start."""

from django.db import migrations

from cortex.audit.operations import AppendOnly
from crisis.escalation.policy import DEFAULTS, SHARED


def add_policies(apps, schema_editor):
    """Write the default clocks of domain 3.5, for every organization without its own."""
    policy = apps.get_model("crisis", "SlaPolicy")
    for level, values in DEFAULTS.items():
        policy.objects.get_or_create(organization=None, level=level, defaults={**SHARED, **values})


def remove_policies(apps, schema_editor):
    """Take the defaults out again."""
    apps.get_model("crisis", "SlaPolicy").objects.filter(organization=None).delete()


class Migration(migrations.Migration):
    """Guards the append-only tables of the crisis floor."""

    dependencies = [("crisis", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        AppendOnly("AlertEvent", erasable=True),
        AppendOnly("RiskAssessment", erasable=True),
        migrations.RunPython(add_policies, remove_policies),
    ]
