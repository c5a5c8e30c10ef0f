"""The migration operation that partitions a table by month on its UUIDv7 key; no model lives here."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

MONTHS_BACK = 3
MONTHS_AHEAD = 2
REMARK = "partitioned by month"

# The functions run as their owner, so that the system role makes and drops months without rights on the schema.
# Each partition is closed to writers, and to readers but for backups: rights, row security and append-only guards live on the parent.
# ruff: noqa: E501
FUNCTIONS = """
CREATE OR REPLACE FUNCTION cortex_month_bound(month date) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT (lpad(to_hex((extract(epoch FROM month::timestamp) * 1000)::bigint), 12, '0')
            || '00000000000000000000')::uuid
$$;

CREATE OR REPLACE FUNCTION cortex_make_months(since date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    parent record;
    policy record;
    month date;
    part text;
    made integer := 0;
BEGIN
    IF since IS NULL OR until IS NULL OR until < since OR until > since + 3660 THEN
        RAISE EXCEPTION 'months from % to % make no sense', since, until;
    END IF;
    -- One maker at a time: two would race for the same names.
    PERFORM pg_advisory_xact_lock(hashtext('cortex_make_months'));
    FOR parent IN
        SELECT c.relname AS name, c.relrowsecurity AS guarded
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'p'
          AND obj_description(c.oid, 'pg_class') LIKE 'partitioned by month%'
        ORDER BY c.relname
    LOOP
        month := date_trunc('month', since)::date;
        WHILE month <= until LOOP
            part := parent.name || to_char(month, '"_"YYYY"_"MM');
            IF to_regclass('public.' || quote_ident(part)) IS NULL THEN
                -- Made apart and then attached: attaching lets readers and writers of the parent go on.
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', part, parent.name);
                EXECUTE format('COMMENT ON TABLE public.%I IS %L', part, 'a month of ' || parent.name);
                EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, cortex_app, cortex_system, cortex_eraser',
                               part);
                -- A backup reads month by month; written is through the parent alone.
                EXECUTE format('GRANT SELECT ON public.%I TO cortex_system', part);
                -- A query through the parent is held by the parent's policies; the month has the same, so that a
                -- right that somebody grants on it by mistake opens nothing.
                IF parent.guarded THEN
                    FOR policy IN SELECT * FROM pg_policies WHERE schemaname = 'public' AND tablename = parent.name
                    LOOP
                        EXECUTE format('CREATE POLICY %I ON public.%I AS %s FOR %s TO %s USING (%s) %s',
                                       policy.policyname, part, policy.permissive, policy.cmd,
                                       (SELECT string_agg(quote_ident(one), ', ') FROM unnest(policy.roles) one),
                                       policy.qual, 'WITH CHECK (' || policy.with_check || ')');
                    END LOOP;
                    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                                   part);
                END IF;
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                               parent.name, part, cortex_month_bound(month),
                               cortex_month_bound((month + interval '1 month')::date));
                made := made + 1;
            END IF;
            month := (month + interval '1 month')::date;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION cortex_drop_months(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    remark text := obj_description(to_regclass('public.' || quote_ident(parent)), 'pg_class');
    keep integer := substring(remark FROM 'keep (\\d+) days')::integer;
    part record;
    dropped integer := 0;
BEGIN
    IF remark IS NULL OR remark NOT LIKE 'partitioned by month%' THEN
        RAISE EXCEPTION '% is not partitioned by month', parent;
    END IF;
    -- The least time is fixed by the migration: not even the system role can drop younger months.
    IF before > current_date - keep THEN
        RAISE EXCEPTION '% keeps its rows for % days at least', parent, keep;
    END IF;
    FOR part IN
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass('public.' || quote_ident(parent))
          AND c.relname < parent || to_char(before, '"_"YYYY"_"MM')
    LOOP
        EXECUTE format('DROP TABLE public.%I', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION cortex_make_months(date, date), cortex_drop_months(text, date) FROM PUBLIC, cortex_app;
GRANT EXECUTE ON FUNCTION cortex_make_months(date, date), cortex_drop_months(text, date) TO cortex_system;
"""

# The table was just made and is empty; its foreign keys and indexes come at the migration's end.
REPLACE = """
ALTER TABLE "{table}" RENAME TO "{table}_plain";
CREATE TABLE "{table}" (LIKE "{table}_plain" INCLUDING ALL) PARTITION BY RANGE ("{key}");
DROP TABLE "{table}_plain";
COMMENT ON TABLE "{table}" IS '{remark}, keep {keep} days';
"""


class PartitionedTable(Operation):
    """Turn the empty table that the CreateModel right before made into one partitioned by month.

    Put it directly behind its CreateModel in the same migration. `keep_days` is the least age of a month that
    may ever be dropped. Django's picture of the model stays as it is.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model_name: str, *, keep_days: int = 31) -> None:
        self.model_name = model_name
        self.keep_days = keep_days

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what a squashed migration needs."""
        return type(self).__name__, [self.model_name], {"keep_days": self.keep_days}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave Django's picture of the table as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Replace the table and make its first months."""
        options = to_state.apps.get_model(app_label, self.model_name)._meta
        if schema_editor.connection.alias != "default":
            return
        schema_editor.execute(
            REPLACE.format(
                table=options.db_table, key=options.pk.column, remark=REMARK, keep=int(self.keep_days)
            ),
            params=None,
        )
        schema_editor.execute(FUNCTIONS, params=None)
        schema_editor.execute(
            f"SELECT cortex_make_months((current_date - interval '{MONTHS_BACK} months')::date, "
            f"(current_date + interval '{MONTHS_AHEAD} months')::date)",
            params=None,
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing to do: the CreateModel before drops the table with its months."""

    def references_model(self, name: str, app_label: str) -> bool:
        """Say which model this touches, so that squashing can move others past it."""
        return name.lower() == self.model_name.lower()

    def describe(self) -> str:
        """Say what this does, for the migration log."""
        return f"Partition {self.model_name} by month"
