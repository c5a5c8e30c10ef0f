"""The migration operation that lets a table tell of whom a row was written."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

# Rows of the log in the transaction that wrote: with it or not at all. By the owner's right, and in nobody
# else's triggers: nobody else writes the log, nor leaves it out.
HEAD = """
CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
"""
BY_ROWS = """
    INSERT INTO patients_change (patient_id, organization_id)
    SELECT patient_id, organization_id FROM written WHERE patient_id IS NOT NULL GROUP BY 1, 2;
    RETURN NULL;
END $$;
"""
BY_ROW = """
    INSERT INTO patients_change (patient_id, organization_id)
    SELECT OLD.patient_id, OLD.organization_id WHERE OLD.patient_id IS NOT NULL
     UNION SELECT NEW.patient_id, NEW.organization_id WHERE NEW.patient_id IS NOT NULL;
    RETURN NULL;
END $$;
"""
FUNCTIONS = [
    HEAD.format("patients_tell_rows") + BY_ROWS, HEAD.format("patients_tell_row") + BY_ROW,
    "REVOKE ALL ON FUNCTION patients_tell_rows(), patients_tell_row() FROM PUBLIC",
]  # fmt: skip
# Rows that come and go are told of by the statement: five hundred cost one more.
BY_STATEMENT = {"insert": "NEW TABLE", "delete": "OLD TABLE"}
STATEMENT = (
    'CREATE OR REPLACE TRIGGER tell_{0} AFTER {0} ON "{1}" REFERENCING {2} AS written '
    "FOR EACH STATEMENT EXECUTE FUNCTION patients_tell_rows()"
)
ROW = (
    'CREATE OR REPLACE TRIGGER tell_update AFTER UPDATE ON "{}" FOR EACH ROW '
    "WHEN ({}) EXECUTE FUNCTION patients_tell_row()"
)


class TellChanges(Operation):
    """Let whoever writes rows of people say in the log whose they are.

    The model has `patient` and `organization`. `columns` are those whose change is told of, beside that of
    the person; without any, no update is. `before` are those that were told of until now: back goes to them.
    Each lock is short, since no row is read; in a migration with
    `atomic = False` one that gave up is simply run again.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, model: str, *columns: str, before: tuple[str, ...] = ()) -> None:
        self.model = model
        self.columns = columns
        self.before = before

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a squashed migration needs."""
        more = {"before": self.before} if self.before else {}
        return type(self).__name__, [self.model, *self.columns], more

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's picture of the table as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create or replace one trigger for each command, so that a table never falls silent meanwhile."""
        for table in self._table(app_label, schema_editor, to_state):
            for command, rows in BY_STATEMENT.items():
                schema_editor.execute(STATEMENT.format(command, table, rows))
            if self.columns:
                self._tell_updates(schema_editor, table, self.columns)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop them, or tell of what was told of before."""
        for table in self._table(app_label, schema_editor, from_state):
            if self.before:
                self._tell_updates(schema_editor, table, self.before)
                continue
            for command in (*BY_STATEMENT, "update"):
                schema_editor.execute(f'DROP TRIGGER IF EXISTS tell_{command} ON "{table}"')

    @staticmethod
    def _tell_updates(schema_editor: Any, table: str, columns: tuple[str, ...]) -> None:
        differ = [f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in ("patient_id", *columns)]
        schema_editor.execute(ROW.format(table, " OR ".join(differ)))

    def _table(self, app_label: str, schema_editor: Any, state: Any) -> list[str]:
        """Return the table; nothing where the model doesn't live."""
        model = state.apps.get_model(app_label, self.model)
        here = self.allow_migrate_model(schema_editor.connection.alias, model)
        return [model._meta.db_table] if here else []

    def describe(self) -> str:
        """Say what this does, for the migration log."""
        return f"Let {self.model} tell of whom a row was written"
