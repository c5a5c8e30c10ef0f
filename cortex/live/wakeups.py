"""The hub's one Redis subscription: hears hints, notices a dead or stalled Redis, comes back by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cortex.live import metrics
from cortex.live.hints import CHANNEL

log = logging.getLogger(__name__)

# Silence for this long is questioned with a ping; as long again without an answer means that Redis is gone.
QUESTION_AFTER = 2.0
BACKOFF_FIRST, BACKOFF_MOST = 0.2, 3.0


class Wakeups:
    """Calls `on_hint(topic, n)` for each hint and `on_change(up)` when the subscription comes or goes."""

    def __init__(self, on_hint: Callable[[str, int], None], on_change: Callable[[bool], None]) -> None:
        self.on_hint = on_hint
        self.on_change = on_change
        self.is_up = False

    async def run(self) -> None:
        """Listen until cancelled."""
        pause = BACKOFF_FIRST
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError, ValueError) as error:
                pause = BACKOFF_FIRST if self.is_up else min(pause * 2, BACKOFF_MOST)
                log.warning("live.redis_lost", extra={"code": type(error).__name__})
            finally:
                self._set(up=False)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads the returns)

    async def _listen(self) -> None:
        # No retry inside the client: a silent re-subscription would hide the hints that were missed.
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        listener = client.pubsub()
        try:
            await listener.subscribe(CHANNEL)
            await self._follow(listener)
        finally:
            await listener.aclose()
            await client.aclose()

    async def _follow(self, listener: redis.asyncio.client.PubSub) -> None:
        questioned = False
        while True:
            message = await listener.get_message(timeout=QUESTION_AFTER)
            if message is None:
                if questioned:
                    raise TimeoutError("no answer from Redis")
                questioned = True
                await listener.ping()
                continue
            questioned = False
            if message["type"] == "subscribe":
                metrics.REDIS_CONNECTS.inc()
                self._set(up=True)
            elif message["type"] == "message":
                self._take(message["data"])

    def _take(self, data: bytes) -> None:
        try:
            hint = json.loads(data)
            topic, n = str(hint["topic"]), int(hint["n"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            metrics.HINTS.labels("unreadable").inc()
            return
        self.on_hint(topic, n)

    def _set(self, *, up: bool) -> None:
        if up != self.is_up:
            self.is_up = up
            metrics.REDIS_UP.set(up)
            self.on_change(up)
