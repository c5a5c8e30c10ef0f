"""How many items a key may send per minute; the count lives in Redis and holds no health data."""

from __future__ import annotations

import functools
import logging
import time

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

WINDOW_SECONDS = 60
DEFAULT_ITEMS = 60_000
# After a failure nobody waits for Redis again for some seconds.
REST_SECONDS = 5.0
log = logging.getLogger("cortex.api")
_rest_until = 0.0


def take(bucket: str, count: int) -> tuple[int, int]:
    """Count `count` items of a sender; return how many are within the limit, and the seconds to wait.

    Without Redis everything is within the limit: a limit protects us, and must never silence a person.
    """
    global _rest_until
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    wait = max(1, int((window + 1) * WINDOW_SECONDS - now))
    if time.monotonic() < _rest_until:
        return count, wait
    try:
        total = _count(f"rate:{bucket}:{window}", count)
    except redis.RedisError as error:
        _rest_until = time.monotonic() + REST_SECONDS
        log.warning("rate not counted", exc_info=error)
        return count, wait
    limit = getattr(settings, "CORTEX_API_ITEMS_PER_MINUTE", DEFAULT_ITEMS)
    return max(0, count - max(0, total - limit)), wait


def _count(key: str, count: int) -> int:
    pipeline = client().pipeline(transaction=False)
    pipeline.incrby(key, count)
    pipeline.expire(key, 2 * WINDOW_SECONDS)
    return int(pipeline.execute()[0])


@functools.cache
def client() -> redis.Redis:
    """Return this process's connections: short waits, no second try, so that no request stalls on Redis."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.2, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0)
    )
