"""The migration operation that lets a table tell of whom a row was written."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

# Which rows of a statement's old and new ones it tells of.
EVENTS = {
    "INSERT": "NEW TABLE AS fresh",
    "UPDATE": "OLD TABLE AS gone NEW TABLE AS fresh",
    "DELETE": "OLD TABLE AS gone",
}
# A row of the log for each person of a statement, in the transaction that wrote: with it or not at all.
# The owner's own right, so that nobody else may write the log, nor leave it out.
FUNCTION = """
CREATE OR REPLACE FUNCTION patients_tell_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO patients_change (patient_id) SELECT DISTINCT patient_id FROM fresh
         WHERE patient_id IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO patients_change (patient_id) SELECT DISTINCT patient_id FROM gone
         WHERE patient_id IS NOT NULL;
    ELSE
        INSERT INTO patients_change (patient_id)
        SELECT patient_id FROM fresh WHERE patient_id IS NOT NULL
         UNION SELECT patient_id FROM gone WHERE patient_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
"""


class TellChanges(Operation):
    """Let each statement that writes rows of a model with `patient` say in the log whose they are.

    `on` names the commands that it tells of. By statement, so that five hundred rows cost one more. Each lock
    is short, since no row is read; in a migration with `atomic = False` one that gave up is simply run again.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, model: str, *, on: tuple[str, ...] = tuple(EVENTS)) -> None:
        self.model = model
        self.on = on

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a squashed migration needs."""
        return type(self).__name__, [self.model], {"on": self.on}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's picture of the table as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create one trigger for each command."""
        self._drop(app_label, schema_editor, to_state)
        for table in self._table(app_label, schema_editor, to_state):
            for event in self.on:
                schema_editor.execute(
                    f'CREATE TRIGGER tell_{event.lower()} AFTER {event} ON "{table}" '
                    f"REFERENCING {EVENTS[event]} FOR EACH STATEMENT EXECUTE FUNCTION patients_tell_change()"
                )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop them."""
        self._drop(app_label, schema_editor, from_state)

    def _drop(self, app_label: str, schema_editor: Any, state: Any) -> None:
        for table in self._table(app_label, schema_editor, state):
            for event in self.on:
                schema_editor.execute(f'DROP TRIGGER IF EXISTS tell_{event.lower()} ON "{table}"')

    def _table(self, app_label: str, schema_editor: Any, state: Any) -> list[str]:
        """Return the table; nothing where the model doesn't live."""
        model = state.apps.get_model(app_label, self.model)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return []
        return [model._meta.db_table]

    def describe(self) -> str:
        """Say what this does, for the migration log."""
        return f"Let {self.model} tell of whom a row was written"
