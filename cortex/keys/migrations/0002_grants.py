"""What the application may do with keys: read, add and note; never delete one or touch its material."""

from django.db import migrations

# Destroying, rewrapping and sweeping are the system role's, so that a broken-into web process can't do them.
NARROW = """
REVOKE UPDATE, DELETE, TRUNCATE ON keys_subjectkey FROM cortex_app;
GRANT SELECT, INSERT ON keys_subjectkey TO cortex_app;
GRANT UPDATE (wanted_at, rotated_at) ON keys_subjectkey TO cortex_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON keys_subjectkey TO cortex_system;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM cortex_app, cortex_system;
"""
WIDE = "GRANT SELECT, INSERT, UPDATE, DELETE ON keys_subjectkey TO cortex_app;"


class Migration(migrations.Migration):
    """Runs on the alias `keys` alone."""

    dependencies = [("keys", "0001_initial")]
    operations = [migrations.RunSQL(NARROW, WIDE)]
