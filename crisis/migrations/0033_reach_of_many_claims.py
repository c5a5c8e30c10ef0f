"""Whom a person's claims and tasks let them reach, whatever they ended in years: asked with each request.

One index scan for what is open and one for what ended within a day, in place of a read of all that they ever
had, and an index of the tasks that are open; the same organizations (tests/unit/crisis/test_reach.py).
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION crisis_reach_by_claim(person uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT a.organization_id FROM crisis_riskalert a
        WHERE a.assigned_to_id = person
          AND a.status IN ('new', 'notified', 'acknowledged', 'in_contact', 'monitoring')
        UNION
        SELECT a.organization_id FROM crisis_riskalert a
        WHERE a.assigned_to_id = person AND a.resolved_at > statement_timestamp() - interval '24 hours'
    );
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION crisis_reach_by_claim(person uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT a.organization_id FROM crisis_riskalert a
        WHERE a.assigned_to_id = person
          AND (a.status IN ('new', 'notified', 'acknowledged', 'in_contact', 'monitoring')
               OR a.resolved_at > statement_timestamp() - interval '24 hours')
    );
END $$;
"""


class Migration(migrations.Migration):
    """A function that the version before asks the same way."""

    dependencies = [("crisis", "0032_open_tasks_of_owners_index")]
    operations = [migrations.RunSQL(FUNCTION, BEFORE)]
