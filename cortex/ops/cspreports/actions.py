"""Counting violations of the content policy, and letting old ones go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from cortex.audit import Actor, quiet
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.ops.cspreports import queries
from cortex.ops.cspreports.models import CspViolation
from cortex.ops.cspreports.parsing import OTHER, Violation

# Directives, kinds and routes are ours to name, so they are few; this is the end of it, however many.
MOST_ROWS = 2_000
# In the order of the keys, so that two that count the same rows never wait for each other in a ring.
COUNT = """
    INSERT INTO ops_cspviolation AS known
        (id, updated_at, legacy_ids, directive, source, route, host, times, first_at, last_at)
    SELECT id, %(at)s, '{}', directive, source, route, host, times, %(at)s, %(at)s
    FROM unnest(%(ids)s::uuid[], %(directives)s::text[], %(sources)s::text[], %(routes)s::text[],
                %(hosts)s::text[], %(times)s::bigint[]) AS told (id, directive, source, route, host, times)
    ORDER BY directive, source, route
    ON CONFLICT (directive, source, route) DO UPDATE SET
        times = known.times + EXCLUDED.times,
        host = CASE WHEN EXCLUDED.host = '' THEN known.host ELSE EXCLUDED.host END,
        last_at = greatest(known.last_at, EXCLUDED.last_at),
        updated_at = EXCLUDED.updated_at
"""


@quiet("how often browsers stopped something of a page, in codes; no one's care")
def count_violations(*, actor: Actor, told: Mapping[Violation, int], at: datetime | None = None) -> int:
    """Add to the count of each violation; return how many rows were written.

    Once the table is full, what has no row yet is counted under the route `other`.
    """
    now = clock(at)
    room = MOST_ROWS - queries.rows_in_all() >= len(told)
    known = set() if room else queries.known_keys(told.keys())
    rows: dict[queries.Key, tuple[str, int]] = {}
    for one, times in told.items():
        key = (one.directive, one.source, one.route)
        if not room and key not in known:
            key = (one.directive, one.source, OTHER)
        host, before = rows.get(key, ("", 0))
        rows[key] = (one.host or host, before + times)
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "at": now,
                "ids": [uuid7(now) for _ in rows],
                "directives": [key[0] for key in rows],
                "sources": [str(key[1]) for key in rows],
                "routes": [key[2] for key in rows],
                "hosts": [host for host, _ in rows.values()],
                "times": [times for _, times in rows.values()],
            },
        )
        return cursor.rowcount


@quiet("counts of what browsers stopped long ago; no one's care")
def drop_violations(*, actor: Actor, before: datetime) -> int:
    """Delete violations that were last reported before a time; return how many."""
    return CspViolation.objects.filter(last_at__lt=before).delete()[0]
