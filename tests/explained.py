"""How PostgreSQL would answer a statement that a test has captured."""

from __future__ import annotations

from django.db.backends.utils import CursorWrapper


def plan_of(cursor: CursorWrapper, sql: str) -> str:
    """Return a statement's plan as text; of one that names its values by number, the plan for any value."""
    how = " (GENERIC_PLAN)" if "$1" in sql else ""
    cursor.execute(f"EXPLAIN{how} {sql}")
    return "\n".join(line for (line,) in cursor.fetchall())
