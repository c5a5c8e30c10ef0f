"""The log of whose rows were written, and the tables of this floor that tell it."""

from django.db import migrations

from cortex.access.rows import POLICIES
from patients.changes.operations import FUNCTIONS, TellChanges

# No model: nobody handles its rows as objects. It names nobody but by id, and its rows leave after hours.
TABLE = """
CREATE TABLE IF NOT EXISTS patients_change (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS patients_change_of ON patients_change (patient_id, n) INCLUDE (organization_id);
CREATE INDEX IF NOT EXISTS patients_change_at ON patients_change USING brin (at);
REVOKE ALL ON patients_change FROM cortex_app, cortex_system;
GRANT SELECT ON patients_change TO cortex_app;
GRANT SELECT, DELETE ON patients_change TO cortex_system;
ALTER TABLE patients_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
"""
GUARDS = [
    f"DROP POLICY IF EXISTS {name} ON patients_change; CREATE POLICY {name} ON patients_change {rest};"
    for name, rest in POLICIES.items()
]
GONE = """
DROP FUNCTION IF EXISTS patients_tell_rows();
DROP FUNCTION IF EXISTS patients_tell_row();
DROP TABLE IF EXISTS patients_change;
"""


class Migration(migrations.Migration):
    """Not one transaction, so that one table is locked at a time; each step may run again."""

    atomic = False
    dependencies = [("patients", "0012_legal_holds")]
    operations = [
        migrations.RunSQL(TABLE, GONE),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        TellChanges("CareTeamMember", "starts_at", "ends_at", "cover_for_id"),
        TellChanges("Session", "kind", "status", "started_at", "sensitivity_labels"),
        TellChanges("DailyCheckIn", "date", "submitted_at"),
        # What a list reads of a message is that a person wrote one, and its id, which says when.
        TellChanges("Message"),
    ]
