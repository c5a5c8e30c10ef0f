"""Migration operations that make a table append-only and feed the sequencer's inbox."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

GUARD = """
CREATE OR REPLACE FUNCTION cortex_append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
    -- Erasure, retention and legal corrections run under this one role, and only where the table allows it.
    IF TG_ARGV[0] = 'erasable' AND current_user = 'cortex_eraser' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class AppendOnly(Operation):
    """Refuse UPDATE, DELETE and TRUNCATE on a model's table by triggers and by grants.

    `erasable` lets the role cortex_eraser pass (Consent, AlertEvent, RiskAssessment; never the trail).
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model: str, *, erasable: bool = False) -> None:
        self.model = model
        self.erasable = erasable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a squashed migration needs."""
        return type(self).__name__, [self.model], {"erasable": self.erasable}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's picture of the table as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the function, the triggers and the grants."""
        model = to_state.apps.get_model(app_label, self.model)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = model._meta.db_table
        kind = "erasable" if self.erasable else "kept"
        schema_editor.execute(GUARD, params=None)
        schema_editor.execute(
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION cortex_append_only('{kind}')"
        )
        schema_editor.execute(
            f'CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "{table}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION cortex_append_only('kept')"
        )
        schema_editor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM cortex_app, cortex_system')
        if self.erasable:
            schema_editor.execute(f'GRANT SELECT, UPDATE, DELETE ON "{table}" TO cortex_eraser')

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the triggers and give the grants back."""
        model = from_state.apps.get_model(app_label, self.model)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = model._meta.db_table
        schema_editor.execute(f'DROP TRIGGER IF EXISTS append_only ON "{table}"')
        schema_editor.execute(f'DROP TRIGGER IF EXISTS append_only_truncate ON "{table}"')
        schema_editor.execute(f'GRANT UPDATE, DELETE ON "{table}" TO cortex_app, cortex_system')

    def describe(self) -> str:
        """Say what this does, for the migration log."""
        return f"Make {self.model} append-only"
