"""Whom a person's shift and claims let them reach is asked before any organization is named: by two functions.

They run with their owner's rights and give nothing but ids of organizations. Their conditions are those of
`duty.organizations_covered` and `access.claimed_q`; tests/unit/crisis/test_reach.py holds them together.
"""

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION crisis_reach_by_shift(person uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT o.id FROM accounts_organization o WHERE EXISTS (
            SELECT FROM crisis_dutyshift s JOIN accounts_user u ON u.id = s.user_id
            WHERE s.user_id = person AND s.status IN ('active', 'paused') AND u.is_active
              AND u.role IN ('counselor', 'therapist', 'psychiatrist', 'supervisor')
              AND array_position(s.covers, o.id) IS NOT NULL
              AND (o.id = s.organization_id
                   OR jsonb_exists(o.settings -> 'covered_by', s.organization_id::text))
        )
    );
END $$;

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

REVOKE ALL ON FUNCTION crisis_reach_by_shift(uuid), crisis_reach_by_claim(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crisis_reach_by_shift(uuid), crisis_reach_by_claim(uuid) TO cortex_app, cortex_system;
"""
BACK = """
DROP FUNCTION IF EXISTS crisis_reach_by_shift(uuid);
DROP FUNCTION IF EXISTS crisis_reach_by_claim(uuid);
"""


class Migration(migrations.Migration):
    """Functions only; the pages of the version before don't ask them."""

    dependencies = [("crisis", "0010_admin_names")]
    operations = [migrations.RunSQL(FUNCTIONS, BACK)]
