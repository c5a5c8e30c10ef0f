"""The migration operation that keeps a table's rows to the organizations that a transaction named."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

# The organizations that the transaction named (`set_scope`), or NULL when it named none: then nothing equals.
# An array, not a sub-select: PostgreSQL then uses the condition in an index as if the query had said it.
NAMED = "string_to_array(NULLIF(current_setting('app.orgs', true), ''), ',')::uuid[]"
IN_SCOPE = f"organization_id = ANY({NAMED})"
# Names anybody at all: whoever did not may look at the house's own rows, and change nothing.
NAMES_ONE = "NULLIF(current_setting('app.orgs', true), '') IS NOT NULL"
HOUSE = "organization_id IS NULL"
OURS = f"{HOUSE} AND {NAMES_ONE}"
MACHINES = "cortex_owner, cortex_system, cortex_eraser"

# name -> the rest of CREATE POLICY; policies of one command are joined by OR.
POLICIES = {
    # The application: pages, sockets, the API.
    "own_rows": f"FOR ALL TO cortex_app USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})",
    # Migrations, and the machines, which work for every organization at once. FORCE would shut out the owner.
    "machines": f"FOR ALL TO {MACHINES} USING (true) WITH CHECK (true)",
}
# Rows of the house (common crisis lines, default clocks) are of no person: every page shows them.
SHARED = {
    "house_rows": f"FOR SELECT TO cortex_app USING ({HOUSE})",
    "house_writes": f"FOR ALL TO cortex_app USING ({OURS}) WITH CHECK ({OURS})",
}

TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.oid = '"{table}"'::regclass
       OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = '"{table}"'::regclass)
    ORDER BY c.relispartition, c.relname
"""


class GuardRows(Operation):
    """Give a model's table row-level security by organization, its months included.

    `shared` adds the rows of the house (`organization_id` is NULL), `besides` other conditions under which a
    row is shown ({policy name: SQL}). Months that are made later take the policies of their parent
    (`cortex_make_months`). Each lock is short, since no row is read; in a migration with `atomic = False` one
    table is locked at a time, and one that gave up in the middle is simply run again.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, model: str, *, shared: bool = False, besides: dict[str, str] | None = None) -> None:
        self.model = model
        self.shared = shared
        self.besides = besides or {}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a squashed migration needs."""
        return type(self).__name__, [self.model], {"shared": self.shared, "besides": self.besides}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's picture of the table as it is."""

    def policies(self) -> dict[str, str]:
        """Return the policies of this table by name."""
        seen = {name: f"FOR SELECT TO cortex_app USING ({sql})" for name, sql in self.besides.items()}
        return POLICIES | (SHARED if self.shared else {}) | seen

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the policies, then switch them on, for the owner as well."""
        for table in self._tables(app_label, schema_editor, to_state):
            for name, rest in self.policies().items():
                schema_editor.execute(f'DROP POLICY IF EXISTS {name} ON "{table}"')
                schema_editor.execute(f'CREATE POLICY {name} ON "{table}" {rest}', params=None)
            schema_editor.execute(
                f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
            )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Switch it off and drop the policies."""
        for table in self._tables(app_label, schema_editor, from_state):
            schema_editor.execute(
                f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY'
            )
            for name in self.policies():
                schema_editor.execute(f'DROP POLICY IF EXISTS {name} ON "{table}"')

    def _tables(self, app_label: str, schema_editor: Any, state: Any) -> list[str]:
        """Return the table and its months; nothing where the model doesn't live."""
        model = state.apps.get_model(app_label, self.model)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return []
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(TABLES.format(table=model._meta.db_table))
            return [name for (name,) in cursor.fetchall()]

    def describe(self) -> str:
        """Say what this does, for the migration log."""
        return f"Keep the rows of {self.model} to the organizations that a transaction named"
