"""The watchdog's canary: an alert about nobody, and a count of waiting alerts that shows what it can't see.

Going back leaves rows that the earlier rule refuses, so it comes back without a look at what is there.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

RULE = """
ALTER TABLE crisis_riskalert DROP CONSTRAINT alert_has_patient;
ALTER TABLE crisis_riskalert ADD CONSTRAINT alert_has_patient
    CHECK (patient_id IS NOT NULL OR kind IN ({})) NOT VALID;
"""
# With its owner's rights: were the watchdog's own look filtered, the two counts would differ.
COUNT = """
CREATE OR REPLACE FUNCTION crisis_waiting_alerts() RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(*) FROM crisis_riskalert a WHERE a.status IN ('new', 'notified'));
END $$;

REVOKE ALL ON FUNCTION crisis_waiting_alerts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crisis_waiting_alerts() TO cortex_system;
"""
BACK = "DROP FUNCTION IF EXISTS crisis_waiting_alerts();"
KINDS = [
    ("self_harm", "Self-harm"),
    ("harm_to_others", "Harm to others"),
    ("safeguarding", "Safeguarding"),
    ("psychosis_disorientation", "Psychosis or disorientation"),
    ("medical", "Medical"),
    ("other", "Other"),
    ("could_not_screen", "A message could not be screened"),
    ("could_not_store", "A message could not be stored"),
    ("no_cover", "Nobody is on shift"),
    ("canary", "A try of the watchdog's"),
]


class Migration(migrations.Migration):
    """No row is read: the rule holds for what comes, and 0015 proves it of what is there."""

    dependencies = [("crisis", "0013_reach_by_what_is_owed")]
    operations = [
        migrations.AlterField(
            model_name="riskalert", name="kind", field=models.CharField(choices=KINDS, max_length=32)
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(RULE.format("'no_cover', 'canary'"), RULE.format("'no_cover'"))
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name="riskalert", name="alert_has_patient"),
                AddConstraintNotValid(
                    model_name="riskalert",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("patient__isnull", False), ("kind__in", ["no_cover", "canary"]),
                                           _connector="OR"),
                        name="alert_has_patient",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(COUNT, BACK),
    ]  # fmt: skip
