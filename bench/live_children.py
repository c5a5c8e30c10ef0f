"""What the live bench runs in processes of their own: the house, the servers, and who commits the changes."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
GROUP = "bench"


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
            "SELECT organization, max(n) FROM bench_event WHERE organization = ANY(%s::uuid[]) GROUP BY 1",
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


class Tally:
    """What one server counts for the bench: rights checks of each socket, and what stock consumers sent."""

    def __init__(self) -> None:
        self.checks: dict[Any, int] = {}
        self.rounds = 0
        self.stock = {"reading": 0, "stalled": 0}

    def watch_rights(self) -> None:
        """Count for each socket the rounds of the hub's rights check that ended well."""
        from cortex.live.watch import Watch

        real = Watch.check_rights

        async def counted(watch: Any) -> None:
            sockets, before = list(watch.hub.sockets), watch.rights_at
            await real(watch)
            if watch.rights_at != before:
                self.rounds += 1
                for one in sockets:
                    self.checks[one] = self.checks.get(one, 0) + 1

        Watch.check_rights = counted  # type: ignore[method-assign,assignment]

    def begin(self) -> None:
        """Forget the rights checks that were made before the timed run."""
        self.checks.clear()
        self.rounds = 0

    def figures(self) -> dict[str, Any]:
        """Return what was counted. A seat that began at 0 belongs to a stalled reader."""
        from cortex.live import metrics, watch

        found = watch._running.get(asyncio.get_running_loop())
        sockets = list(found.hub.sockets) if found else []
        seats = [seat for one in sockets for seat in one.seats.values()]
        bench = [seat for seat in seats if seat.room.name.startswith("bench:")]
        reading = [seat for seat in bench if seat.first]
        told = sum(seat.sent - seat.first for seat in reading)
        board = sum(seat.sent - seat.first for seat in seats if seat not in bench)
        return {
            "reading": told + self.stock["reading"],
            "board": board,
            "stalled": int(metrics.SENT._value.get()) - told - board + self.stock["stalled"],
            "slow_closes": int(metrics.SLOW_CLOSES._value.get()),
            "source_failures": int(metrics.SOURCE_FAILURES._value.get()),
            "stalled_now": len(bench) - len(reading),
            "rounds": self.rounds,
            "least_checks": min((self.checks.get(seat.socket, 0) for seat in reading), default=None),
        }


def application() -> Any:
    """uvicorn's factory: the real application, a stock consumer at `/stock/`, and the tally at `/bench/`."""
    from channels.auth import AuthMiddlewareStack

    from cortex.asgi import application as real
    from cortex.live import topics

    topics.register("bench", BenchSource())
    tally = Tally()
    tally.watch_rights()
    stock = AuthMiddlewareStack(stock_consumer(tally).as_asgi())

    async def choose(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/bench/"):
            if scope["path"] == "/bench/begin":
                tally.begin()
            body = json.dumps(tally.figures()).encode()
            head = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": body})
            return
        app = stock if scope["type"] == "websocket" and scope["path"] == "/stock/" else real
        await app(scope, receive, send)

    return choose


def stock_consumer(tally: Tally) -> Any:
    """The consumer of Channels' own documentation over its own Redis layer, with one line that counts."""
    from channels.generic.websocket import AsyncJsonWebsocketConsumer

    use_stock_layer()

    class Stock(AsyncJsonWebsocketConsumer):
        async def connect(self) -> None:
            self.kind = "stalled" if self.scope["query_string"] else "reading"
            await self.channel_layer.group_add(GROUP, self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(GROUP, self.channel_name)

        async def receive_json(self, content: Any, **kwargs: Any) -> None:
            await self.send_json({"type": "welcome", "topics": {}})

        async def alert_event(self, message: dict[str, Any]) -> None:
            await self.send_json(message["content"])
            tally.stock[self.kind] += 1

    return Stock


def use_stock_layer() -> None:
    """Configure the channel layer as its README says, on the bench's Redis."""
    from django.conf import settings

    # The layer waits 5 s for a message; so does redis-py's own default, which would end quiet consumers.
    config = {"hosts": [{"address": settings.REDIS_URL, "socket_timeout": 15}]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    }


def fire(design: str, key: str, count: int, rate: float, size: int) -> None:
    """Say that we are ready, read when to begin, commit `count` changes at `rate` per second.

    Prints [[number, intended, committed], …] in nanoseconds. Whoever falls behind doesn't wait: the next
    change's time stands, whatever happened to the one before.
    """
    import django

    django.setup()
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer
    from django.conf import settings
    from django.db import transaction

    from cortex.live import hints

    assert settings.REDIS_URL
    use_stock_layer()
    group_send = async_to_sync(get_channel_layer().group_send) if design == "stock" else None  # type: ignore[union-attr]
    body = {"alert": str(uuid.uuid4()), "html": "x" * size}
    text = json.dumps(body)
    _query("SELECT 1", [])
    hints.publish(f"bench:{key}", 0)
    print("ready", flush=True)
    begun = int(sys.stdin.readline())
    stamps = []
    for number in range(count):
        intended = begun + int(number * 1e9 / rate)
        time.sleep(max(0.0, (intended - time.time_ns()) / 1e9))
        with transaction.atomic():
            n = _query(NEXT, [key, text])[0][0]
        stamps.append((n, intended, time.time_ns()))
        if group_send is None:
            hints.publish(f"bench:{key}", n)
        else:
            content = {"type": "event", "topic": f"bench:{key}", "n": n, **body}
            group_send(GROUP, {"type": "alert.event", "content": content})
    print(json.dumps(stamps), flush=True)


NEXT = """
    WITH next AS (
        INSERT INTO bench_feed VALUES (%s, 1)
        ON CONFLICT (organization) DO UPDATE SET n = bench_feed.n + 1 RETURNING organization, n
    )
    INSERT INTO bench_event SELECT organization, n, %s FROM next RETURNING n
"""


def prepare(people: int) -> None:
    """Put so many counselors of the synthetic house on shift; print their sessions and what waits."""
    import django

    django.setup()
    from django.conf import settings

    from clinical.backoffice.synth import queries
    from clinical.backoffice.synth.actions import staff_desk
    from clinical.backoffice.synth.loading import machine
    from cortex.accounts.actions import create_user
    from cortex.clock import clock
    from crisis.alerts.models import RiskAlert

    ids = queries.organization_ids()
    actor = machine(ids, ids[0])
    for number in range(len(queries.counselors(ids[0])), people):
        create_user(
            actor=actor, organization_id=ids[0], email=f"live{number}@bench.example",
            full_name=f"Counselor {number} of the bench", role="counselor", password=None, is_verified=True,
        )  # fmt: skip
    staff_desk(actor=actor, organization_id=ids[0], at=clock())
    cookies = []
    for user in queries.counselors(ids[0])[:people]:
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session.create()
        cookies.append(session.session_key)
    waiting = RiskAlert.objects.waiting().filter(organization_id=ids[0]).order_by("pk")
    alerts = [str(pk) for pk in waiting.values_list("pk", flat=True)]
    print(json.dumps({"cookies": cookies, "alerts": alerts, "board": str(ids[0])}))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(int(sys.argv[2]))
    else:
        design, key, count, rate, size = sys.argv[1:]
        fire(design, key, int(count), float(rate), int(size))
