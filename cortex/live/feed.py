"""Allots feed numbers as the last statements of a transaction and hints at them after its commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, models, transaction

from cortex.live.hints import publish

# A sequence or a time would let a later number commit first, and a reader would skip the earlier one.
NEXT_NUMBERS = """
    INSERT INTO live_feed (organization_id, number) VALUES (%s, %s)
    ON CONFLICT (organization_id) DO UPDATE SET number = live_feed.number + EXCLUDED.number
    RETURNING number
"""


def topic_of(organization_id: UUID) -> str:
    """Return the topic of an organization's board."""
    return f"board:{organization_id}"


def hint_beside(organization_ids: Iterable[UUID]) -> None:
    """Say after the commit that a list beside these boards has changed; no number is taken for it.

    A hub that misses it asks every 5 s.
    """
    for organization_id in organization_ids:
        _hint_after_commit(organization_id, 0)


def number_events(events: list[tuple[UUID, models.Model]]) -> None:
    """Give each event the next number of its organization's feed, insert them, and hint after commit.

    Feeds are locked in the order of their ids; the lock is held until the commit.
    """
    by_feed: dict[UUID, list[models.Model]] = defaultdict(list)
    for organization_id, event in events:
        by_feed[organization_id].append(event)
    for organization_id in sorted(by_feed):
        batch = by_feed[organization_id]
        last = _take(organization_id, len(batch))
        for offset, event in enumerate(batch, start=last - len(batch) + 1):
            event.feed_number = offset  # type: ignore[attr-defined]
        for model in dict.fromkeys(type(event) for event in batch):
            model._default_manager.bulk_create([event for event in batch if type(event) is model])
        _hint_after_commit(organization_id, last)


def _take(organization_id: UUID, count: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBERS, [organization_id, count])
        return cursor.fetchone()[0]


def _hint_after_commit(organization_id: UUID, number: int) -> None:
    transaction.on_commit(lambda: publish(topic_of(organization_id), number), robust=True)
