"""Empties a database after a test that committed: only what was written to goes, the migrations' rows return.

A fresh copy of the template costs a checkpoint and a thousand files; most tests write to thirty tables. Where
a test changed more than rows (a table, a trigger, a right), or nobody can tell, the copy is made after all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

# Deleted rows leave their place behind; a fresh copy now and then has none.
LONGEST_KEPT = 25
# What any change of the catalogue changes; counts and sizes of tables are written in place and leave it.
CATALOGUE = """
    SELECT md5(string_agg(concat(kind, oid, xmin), ',' ORDER BY kind, oid)) FROM (
        SELECT 'class' AS kind, oid, xmin FROM pg_class WHERE oid >= 16384
        UNION ALL SELECT 'trigger', oid, xmin FROM pg_trigger
        UNION ALL SELECT 'policy', oid, xmin FROM pg_policy
        UNION ALL SELECT 'function', oid, xmin FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'constraint', oid, xmin FROM pg_constraint WHERE oid >= 16384
        UNION ALL SELECT 'schema', oid, xmin FROM pg_namespace
        UNION ALL SELECT 'setting', setdatabase, xmin FROM pg_db_role_setting
        UNION ALL SELECT 'right', oid, xmin FROM pg_default_acl
    ) known
"""
# A backend that ends hands its counts in before it leaves the list of those who are connected.
ALONE = """
    SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
WRITTEN = """
    SELECT oid::regclass::text, pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)
        + pg_stat_get_tuples_deleted(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
SEQUENCES = """
    SELECT oid::regclass::text, pg_sequence_last_value(oid) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""


@dataclass
class Clean:
    """What a fresh copy holds: its catalogue, the rows of the migrations, sequences, and counts of writes."""

    catalogue: str
    sequences: dict[str, int | None]
    rows: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    cleaned: int = 0


def remember(address: str) -> Clean:
    """Return what a database holds that nobody has written to yet."""
    with psycopg.connect(address, autocommit=True) as connection:
        written = _pairs(connection, WRITTEN)
        clean = Clean(_catalogue(connection), _pairs(connection, SEQUENCES), written=written)
        for table in written:
            if connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone() == (True,):  # type: ignore[arg-type]  # noqa: S608
                with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:  # type: ignore[arg-type]
                    clean.rows[table] = b"".join(copy)
        return clean


def begin_anew(clean: Clean) -> None:
    """Take note that the database was replaced by a fresh copy, whose writes count from nothing."""
    clean.written = dict.fromkeys(clean.written, 0)
    clean.cleaned = 0


def put_back(address: str, clean: Clean) -> bool:
    """Make a database what it was when it was remembered; False when only a fresh copy can."""
    clean.cleaned += 1
    if clean.cleaned > LONGEST_KEPT:
        return False
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute(ALONE).fetchone() == (False,):
            return False
        for table in _pairs(connection, WRITTEN).keys() - clean.written.keys():
            connection.execute(f"DROP TABLE {table}")  # type: ignore[arg-type]
        if _catalogue(connection) != clean.catalogue:
            return False
        now = _pairs(connection, WRITTEN)
        if any(now.get(table, -1) < count for table, count in clean.written.items()):
            return False  # the counts were lost in a crash
        touched = [table for table, count in now.items() if count > clean.written[table]]
        with connection.transaction():
            # No trigger and no foreign key stands in the way of a superuser who plays a replica.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in touched:
                connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]  # noqa: S608
                if table in clean.rows:
                    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type]
                        copy.write(clean.rows[table])
            for name, value in _pairs(connection, SEQUENCES).items():
                if value != clean.sequences[name]:
                    known = clean.sequences[name]
                    connection.execute("SELECT setval(%s::regclass, %s, %s)", [name, known or 1, bool(known)])
        connection.execute("SELECT pg_stat_force_next_flush()")
        clean.written = _pairs(connection, WRITTEN)
        return True


def _catalogue(connection: psycopg.Connection[Any]) -> str:
    (found,) = connection.execute(CATALOGUE).fetchone() or ("",)
    return str(found)


def _pairs(connection: psycopg.Connection[Any], query: str) -> dict[str, Any]:
    return dict(connection.execute(query).fetchall())  # type: ignore[arg-type]
