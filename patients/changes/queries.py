"""Reads of the log of changes: what stands there of somebody, as a mark that a later write makes another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from cortex.ops.postgres.planned import planned_cursor

# What was read of somebody counts so long at most; the log keeps its rows much longer (`FORGOTTEN`).
HOLDS = timedelta(hours=1)
FORGOTTEN = timedelta(hours=6)


class Mark(NamedTuple):
    """How many rows the log has of a row of somebody, and the sum of their numbers.

    Numbers come in no order of commits, so the highest says little. Where as many rows left as came, the sum
    has grown: those that leave are hours older. So the same mark twice within `HOLDS` says that nothing came.
    """

    rows: int
    total: int


NOTHING = Mark(0, 0)


def joined(found: Mapping[UUID, Mark], rows: Iterable[UUID]) -> Mark:
    """Return one mark of all these rows of a person; what holds of the mark of one row holds of it, too."""
    own = [found.get(row, NOTHING) for row in rows]
    return Mark(sum(one.rows for one in own), sum(one.total for one in own))


_MARKS = """
SELECT patient_id, count(*), sum(n)::bigint FROM patients_change
 WHERE patient_id = ANY($1) GROUP BY patient_id
"""


def marks(patient_ids: Collection[UUID]) -> dict[UUID, Mark]:
    """Return the mark of each of these rows of whom the log tells anything; the others have `NOTHING`.

    Read it before what it is to stand for: what is written in between then has another mark.
    """
    with planned_cursor() as cursor:
        cursor.execute(_MARKS, [list(patient_ids)])
        return {pk: Mark(rows, total) for pk, rows, total in cursor.fetchall()}
