"""The bench's server and its firing process: the real application with a feed over one small table."""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.live_reader import TOPIC


class BenchSource:
    """The feed of the bench: numbers and bodies in one table."""

    def may_join(self, user_id: uuid.UUID, session_key: str, key: str) -> bool:
        return True

    def may_still_hear(self, key: str, people: Any) -> set[Any]:
        return set(people)

    def head(self, key: str) -> int:
        return self.heads([key]).get(key, 0)

    def heads(self, keys: Any) -> dict[str, int]:
        rows = _query(
            "SELECT organization, max(n) FROM bench_event WHERE organization = ANY(%s) GROUP BY 1",
            [list(keys)],
        )
        return {str(key): n for key, n in rows}

    def events_after(self, key: str, n: int, limit: int) -> list[Any]:
        from cortex.live.topics import Event

        sql = "SELECT n, body FROM bench_event WHERE organization = %s AND n > %s ORDER BY n LIMIT %s"
        return [Event(number, body.encode()) for number, body in _query(sql, [key, n, limit])]

    def on_seen(self, user_id: uuid.UUID, key: str, n: int, item: str) -> None: ...


def _query(sql: str, values: list[Any]) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def application() -> Any:
    """uvicorn's factory: the real ASGI application, plus the stock consumer beside it."""
    from channels.auth import AuthMiddlewareStack
    from channels.generic.websocket import AsyncWebsocketConsumer
    from django.conf import settings

    from cortex.asgi import application as real
    from cortex.live import topics

    topics.register("bench", BenchSource())
    url = settings.REDIS_URL
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [url]}}
    settings.CHANNEL_LAYERS = {"default": layer}

    class Stock(AsyncWebsocketConsumer):
        groups = ["bench"]

        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            await self.send(text_data='{"type":"welcome"}')

        async def bench_event(self, message: dict[str, Any]) -> None:
            await self.send(text_data=message["text"])

    stock = AuthMiddlewareStack(Stock.as_asgi())

    async def choose(scope: Any, receive: Any, send: Any) -> None:
        app = stock if scope["type"] == "websocket" and scope["path"] == "/stock/" else real
        await app(scope, receive, send)

    return choose


def fire(design: str, count: int, rate: float, size: int) -> None:
    """Commit `count` events at `rate` per second and print [[number, nanoseconds of the commit], …]."""
    import django

    django.setup()
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer
    from django.conf import settings
    from django.db import transaction

    from cortex.live import hints

    application()
    group_send = async_to_sync(get_channel_layer().group_send) if design == "stock" else None  # type: ignore[union-attr]
    body = json.dumps({"alert": str(uuid.uuid4()), "html": "x" * size})
    assert settings.REDIS_URL
    stamps = []
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        with transaction.atomic():
            n = _query(NEXT, [TOPIC[6:], body])[0][0]
        stamps.append((n, time.time_ns()))
        if group_send is None:
            hints.publish(TOPIC, n)
        else:
            text = f'{{"type":"event","topic":"{TOPIC}","n":{n},{body[1:]}'
            group_send("bench", {"type": "bench.event", "text": text})
    print(json.dumps(stamps))


NEXT = """
    WITH next AS (
        INSERT INTO bench_feed VALUES (%s, 1)
        ON CONFLICT (organization) DO UPDATE SET n = bench_feed.n + 1 RETURNING organization, n
    )
    INSERT INTO bench_event SELECT organization, n, %s FROM next RETURNING n
"""


if __name__ == "__main__":
    design, count, rate, size = sys.argv[1:]
    fire(design, int(count), float(rate), int(size))
