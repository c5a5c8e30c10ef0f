"""The log of whose rows were written, and the tables of this floor that tell it."""

from django.db import migrations

from patients.changes.operations import FUNCTION, TellChanges

# No model: nobody handles its rows as objects. It names nobody but by id, and its rows leave after hours.
TABLE = """
CREATE TABLE IF NOT EXISTS patients_change (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS patients_change_of ON patients_change (patient_id, n);
CREATE INDEX IF NOT EXISTS patients_change_at ON patients_change USING brin (at);
REVOKE ALL ON patients_change FROM cortex_app, cortex_system;
GRANT SELECT ON patients_change TO cortex_app;
GRANT SELECT, DELETE ON patients_change TO cortex_system;
"""
GONE = "DROP FUNCTION IF EXISTS patients_tell_change(); DROP TABLE IF EXISTS patients_change;"


class Migration(migrations.Migration):
    """Not one transaction, so that one table is locked at a time; each step may run again."""

    atomic = False
    dependencies = [("patients", "0012_legal_holds")]
    operations = [
        migrations.RunSQL(TABLE, GONE),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        TellChanges("CareTeamMember"),
        TellChanges("Session"),
        TellChanges("DailyCheckIn"),
        # What a list reads of a message is that there is one.
        TellChanges("Message", on=("INSERT", "DELETE")),
    ]
