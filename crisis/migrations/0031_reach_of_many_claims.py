"""Whom a person's claims and tasks let them reach, whatever they ended in years: asked with each request.

One index scan for what is open and one for what ended within a day, in place of a read of all that they ever
had, and an index of the tasks that are open; the same organizations (tests/unit/crisis/test_reach.py).
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

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
    """Indexes that lock no table, and a function that the version before asks the same way."""

    atomic = False
    dependencies = [("crisis", "0030_cancelled_for")]
    operations = [
        AddIndexConcurrently(
            model_name="riskalert",
            index=models.Index(
                fields=["assigned_to", "resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="alert_owner_ended",
            ),
        ),
        AddIndexConcurrently(
            model_name="reviewitem",
            index=models.Index(
                fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="review_owner"
            ),
        ),
        migrations.RunSQL(FUNCTION, BEFORE),
    ]
