"""Consents are written once: triggers and grants refuse any change of them."""

from django.db import migrations

from cortex.audit.operations import AppendOnly


class Migration(migrations.Migration):
    """Guards the consents."""

    dependencies = [("patients", "0001_initial"), ("audit", "0001_initial")]
    operations = [AppendOnly("Consent", erasable=True)]
