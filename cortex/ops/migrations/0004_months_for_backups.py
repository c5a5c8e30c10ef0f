"""The system role may read the months of partitioned tables: pg_dump asks for each of them by its name."""

from django.db import migrations

from cortex.ops.partitions import FUNCTIONS

MONTHS = """
DO $$
DECLARE part record;
BEGIN
    FOR part IN
        SELECT c.relname AS name FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
        WHERE c.relnamespace = 'public'::regnamespace AND parent.relkind = 'p' AND c.relkind = 'r'
          AND obj_description(parent.oid, 'pg_class') LIKE 'partitioned by month%'
    LOOP
        EXECUTE format('{verb} SELECT ON public.%I {word} cortex_system', part.name);
    END LOOP;
END $$;
"""
GIVE = MONTHS.format(verb="GRANT", word="TO")
TAKE = MONTHS.format(verb="REVOKE", word="FROM")


class Migration(migrations.Migration):
    """Grants only: no row is touched, and no lock is held that a reader or writer would wait for."""

    dependencies = [
        ("ops", "0003_months_keep_their_policies"),
        ("audit", "0001_initial"),
        ("patients", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(GIVE, TAKE),
    ]
