"""What a database holds, by plain SQL on a connection of its own: counted for a backup and after it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from cortex.ops.backups.manifest import Facts, Head

Connection = psycopg.Connection[Any]
TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname
"""
HEAD = "SELECT number, encode(hash, 'hex'), linked_at FROM audit_auditlink ORDER BY number DESC LIMIT 1"
NEWEST = """
    SELECT max(at) FROM (
        SELECT max(occurred_at) AS at FROM audit_auditlog
        UNION ALL SELECT max(occurred_at) FROM audit_phiaccesslog
    ) AS both_trails
"""
TRAIL = "audit_auditlink"


def gather(connection: Connection) -> Facts:
    """Return what this connection's snapshot holds; call it inside the transaction that pg_dump shares."""
    now, server, size = one(
        connection,
        "SELECT transaction_timestamp(), current_setting('server_version'),"
        " pg_database_size(current_database())",
    )
    tables = counts(connection)
    return Facts(
        taken_at=now.astimezone(UTC).isoformat(),
        server=server,
        database_bytes=size,
        migrations=migrations(connection),
        tables=tables,
        head=head(connection) if TRAIL in tables else None,
    )


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table of ours has; a partitioned table by its months."""
    names = [row[0] for row in connection.execute(TABLES)]
    return {
        name: one(connection, sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name)))[0]
        for name in names
    }


def migrations(connection: Connection) -> list[str]:
    """Return the migrations that were applied, as app.name."""
    rows = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return [row[0] for row in rows]


def head(connection: Connection) -> Head | None:
    """Return the last link of the audit trail, or None when nothing was linked yet."""
    row = connection.execute(HEAD).fetchone()
    return None if row is None else Head(row[0], row[1], row[2].astimezone(UTC).isoformat())


def newest_row(connection: Connection) -> datetime | None:
    """Return when the newest row of both trails was written: every write and every look leaves one."""
    found: datetime | None = one(connection, NEWEST)[0]
    return found


def tables_there(connection: Connection) -> int:
    """Count the tables of ours in a database; 0 is an empty one."""
    return len(connection.execute(TABLES).fetchall())


def one(connection: Connection, query: Any) -> Any:
    """Return the one row that a query gives."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise LookupError("a query that always gives a row gave none")
    return row
