"""How many items a key may send per minute; the count lives in Redis and holds no health data."""

from __future__ import annotations

import functools
import logging
import time

import redis
from django.conf import settings

WINDOW_SECONDS = 60
DEFAULT_ITEMS = 60_000
log = logging.getLogger("cortex.api")


def take(bucket: str, count: int) -> tuple[int, int]:
    """Count `count` items of a sender; return how many are within the limit, and the seconds to wait.

    Without Redis everything is within the limit: a limit protects us, and must never silence a person.
    """
    limit = getattr(settings, "CORTEX_API_ITEMS_PER_MINUTE", DEFAULT_ITEMS)
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    wait = max(1, int((window + 1) * WINDOW_SECONDS - now))
    try:
        pipeline = client().pipeline(transaction=False)
        pipeline.incrby(f"rate:{bucket}:{window}", count)
        pipeline.expire(f"rate:{bucket}:{window}", 2 * WINDOW_SECONDS)
        total = int(pipeline.execute()[0])
    except redis.RedisError as error:
        log.warning("rate not counted", exc_info=error)
        return count, wait
    return max(0, count - max(0, total - limit)), wait


@functools.cache
def client() -> redis.Redis:
    """Return this process's connection pool; its short timeouts keep a stalled Redis from stalling intake."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)
