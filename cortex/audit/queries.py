"""Reads of the trail: a row's own link, whose lists named somebody, and the verifier's verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from cortex.audit import verifier
from cortex.audit.models import AuditLink, PhiAccessLog
from cortex.audit.publickeys import Keys
from cortex.ids import floor_of

TURN = 7_210_432
# How far back lists that named a patient are looked for, and how many are found at most.
LISTS_OF = timedelta(days=31)
MOST_LISTS = 1000


def link_of(row_id: UUID) -> AuditLink | None:
    """Return the link of a row of either trail, or None while it waits for the sequencer."""
    return AuditLink.objects.filter(row_id=row_id).first()


def verdict(keys: Keys, anchors: Path | None) -> verifier.Verdict:
    """Walk the whole chain; reads alone."""
    with connection.cursor() as cursor:
        return verifier.verify(cursor, keys, anchors)


def takes_turn() -> bool:
    """Whether no other process walks the chain now; held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [TURN])
        return bool(cursor.fetchone()[0])


def in_month(rows: QuerySet[PhiAccessLog], month: date) -> QuerySet[PhiAccessLog]:
    """Keep the looks of one month: its part of the table alone is read."""
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    after = (first + timedelta(days=32)).replace(day=1)
    return rows.filter(pk__gte=floor_of(first), pk__lt=floor_of(after))


def lists_naming(rows: QuerySet[PhiAccessLog], subject: UUID, at: datetime) -> list[UUID]:
    """Return the ids of the newest lists of the last days that named a patient, at most `MOST_LISTS`.

    What a list named stands in no index (each look would pay for it), so that days bound what is read.
    """
    since = floor_of(at - LISTS_OF)
    found = rows.filter(pk__gte=since, subjects__contains=[subject]).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:MOST_LISTS])
