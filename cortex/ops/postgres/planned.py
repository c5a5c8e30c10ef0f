"""Cursors whose statements a connection plans once: for those that pages ask again and again."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection

# Of so many statements a connection keeps the plans; beyond that it forgets the one not asked for longest.
MOST = 500


class PlannedCursor(psycopg.RawCursor[Any]):
    """Values ($1, $2, …) are bound by the server; the plan stays with the connection from the first time on.

    Use constants for what a partial index names: a plan for any value can't know that it fits.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute as psycopg does, prepared."""
        return super().execute(query, params, **(options | {"prepare": True}))

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        # Django's log of statements asks a cursor for this; a prepared statement goes out without its text.
        self._query = super()._convert_query(query, params)
        return self._query


def planned_cursor(using: Any = connection) -> Any:
    """Return a cursor of Django's (its wrappers and errors) whose statements are planned once."""
    using.close_if_health_check_failed()
    using.ensure_connection()
    raw = using.connection
    # Django switches it off; its own cursors bind values themselves and never come here.
    raw.prepare_threshold, raw.prepared_max = 0, MOST
    with using.wrap_database_errors:
        return using._prepare_cursor(PlannedCursor(raw))
