"""The three database roles, and what tables made after this grant to them."""

from django.db import migrations

ROLES = """
DO $$
DECLARE missing text;
BEGIN
    SELECT string_agg(name, ', ') INTO missing
    FROM unnest(ARRAY['cortex_owner', 'cortex_app', 'cortex_system', 'cortex_eraser']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'database roles are missing: %', missing
        USING HINT = 'Let a database administrator run docs/deploy/roles.sql once, then migrate again.';
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO cortex_app, cortex_system, cortex_eraser;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO cortex_app, cortex_system;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO cortex_app, cortex_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cortex_app, cortex_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO cortex_app, cortex_system;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM cortex_app, cortex_system;
"""

BACK = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM cortex_app, cortex_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE USAGE, SELECT ON SEQUENCES FROM cortex_app, cortex_system;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM cortex_app, cortex_system;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM cortex_app, cortex_system;
"""


class Migration(migrations.Migration):
    """Runs before every table of the main database, so that all of them inherit the grants."""

    initial = True
    run_before = [("contenttypes", "0001_initial")]
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(ROLES, BACK)]
