"""Contacts and tasks that a person owns let them reach their organization, off shift too; and a count of cases.

Two functions with their owner's rights, as in 0011: one gives ids of organizations, the other a number.
tests/unit/crisis/test_reach.py holds them together with the queries.
"""

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION crisis_reach_by_task(person uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT f.organization_id FROM crisis_followup f
        WHERE f.owner_id = person AND f.status IN ('due', 'missed')
        UNION
        SELECT r.organization_id FROM crisis_reviewitem r WHERE r.owner_id = person AND r.done_at IS NULL
    );
END $$;

CREATE OR REPLACE FUNCTION crisis_open_cases(person uuid) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(*) FROM crisis_riskalert a WHERE a.assigned_to_id = person
            AND a.status IN ('acknowledged', 'in_contact', 'monitoring'));
END $$;

REVOKE ALL ON FUNCTION crisis_reach_by_task(uuid), crisis_open_cases(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crisis_reach_by_task(uuid), crisis_open_cases(uuid) TO cortex_app, cortex_system;
"""
BACK = """
DROP FUNCTION IF EXISTS crisis_reach_by_task(uuid);
DROP FUNCTION IF EXISTS crisis_open_cases(uuid);
"""


class Migration(migrations.Migration):
    """Functions only; the pages of the version before don't ask them."""

    dependencies = [("crisis", "0012_rows_by_organization")]
    operations = [migrations.RunSQL(FUNCTIONS, BACK)]
