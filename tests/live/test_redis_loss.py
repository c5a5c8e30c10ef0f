"""Redis may lose everything at any time: events then come by asking the database, a little later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from cortex.live import feed, watch
from cortex.live import metrics as live_metrics
from tests.live.stage import PUSHED, LiveServer, Page, PrivateRedis, TableSource, commit, wait_until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


async def test_events_arrive_soon_while_redis_is_stopped(
    page: Callable[..., Page], server: LiveServer, redis_server: PrivateRedis, organization: UUID
) -> None:
    cleo = await page().open()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    redis_server.kill()
    for n in range(1, 4):
        commit(organization)
        assert await cleo.until_number(n) < PUSHED, "with Redis away they are asked for each second"
    await cleo.close()


async def test_events_are_quick_again_after_redis_is_back(
    page: Callable[..., Page],
    server: LiveServer,
    redis_server: PrivateRedis,
    organization: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cortex.live.hints.BREAKER_OPEN", 0.1)
    cleo = await page().open()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    redis_server.kill()
    commit(organization)
    await cleo.until_number(1)
    redis_server.start()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    await asyncio.sleep(0.2)
    commit(organization)
    assert await cleo.until_number(2) < PUSHED
    assert cleo.shown == [1, 2]
    await cleo.close()


async def test_a_stalled_redis_delays_neither_the_commit_nor_the_board_for_long(
    page: Callable[..., Page], server: LiveServer, redis_server: PrivateRedis, organization: UUID
) -> None:
    cleo = await page().open()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    commit(organization)
    await cleo.until_number(1)
    redis_server.stall()
    began = time.monotonic()
    commit(organization)
    assert time.monotonic() - began < PUSHED
    assert await cleo.until_number(2) < 6
    redis_server.go_on()
    await cleo.close()


async def test_a_hint_that_got_lost_is_healed_by_asking(
    page: Callable[..., Page], organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo = await page().open()
    monkeypatch.setattr(feed, "publish", lambda topic, n: False)
    commit(organization, 3)
    assert await cleo.until_number(3) < 6
    assert cleo.shown == [1, 2, 3]
    await cleo.close()


async def test_hints_that_are_nonsense_are_counted_and_ignored(
    page: Callable[..., Page], server: LiveServer, redis_server: PrivateRedis, organization: UUID
) -> None:
    import redis

    cleo = await page().open()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    client = redis.Redis.from_url(redis_server.url)
    nonsense: list[Any] = [
        b"\xff",
        "",
        "[]",
        "{}",
        '{"topic":1}',
        '{"topic":"board:1","n":"x"}',
        '{"n":' * 5000,
    ]
    for data in nonsense:
        client.publish("cortex:live", data)
    client.close()
    commit(organization)
    assert await cleo.until_number(1) < PUSHED
    await cleo.close()


async def test_no_tick_comes_while_the_feeds_cannot_be_checked(
    page: Callable[..., Page], server: LiveServer, organization: UUID
) -> None:
    cleo = await page().open()
    asked = server.watch.feeds_at
    await asyncio.to_thread(wait_until, lambda: server.watch.feeds_at != asked)  # the next are 5 s away
    asked = server.watch.feeds_at
    server.watch.feeds_at -= 60
    await cleo.say({"type": "ping"})
    with pytest.raises(TimeoutError):
        await cleo.until("tick", 0.3)
    await asyncio.to_thread(wait_until, lambda: server.watch.feeds_at > asked)
    await cleo.say({"type": "ping"})
    await cleo.until("tick")
    await cleo.close()


async def test_no_tick_comes_while_news_is_known_and_not_sent(
    page: Callable[..., Page], server: LiveServer, organization: UUID, source: TableSource
) -> None:
    cleo = await page().open()
    source.slow = 6.0
    commit(organization)
    await asyncio.sleep(0.5)
    (room,) = server.watch.hub.rooms.values()
    room.wanted_since -= 60
    await cleo.say({"type": "ping"})
    with pytest.raises(TimeoutError):
        await cleo.until("tick", 0.5)
    source.slow = 0.0
    await cleo.until_number(1)
    await cleo.say({"type": "ping"})
    await cleo.until("tick")
    await cleo.close()


@pytest.mark.parametrize("name", ["ask_heads", "check_rights", "tick", "ask_marks"])
async def test_a_loop_that_breaks_is_started_again(
    name: str, page: Callable[..., Page], server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("ASK", "ASK_WITHOUT_REDIS", "RIGHTS", "TICK"):
        monkeypatch.setattr(watch, pause, 0.05)
    monkeypatch.setattr(watch, "BESIDE_PAUSE", 0.0)
    cleo = await page().open()
    stock, calls = getattr(server.watch, name), []

    async def broken() -> None:
        calls.append(name)
        if len(calls) < 3:
            raise RuntimeError("broken")
        await stock()

    monkeypatch.setattr(server.watch, name, broken)
    failures = live_metrics.SOURCE_FAILURES._value.get()
    await asyncio.to_thread(wait_until, lambda: len(calls) > 4)
    assert live_metrics.SOURCE_FAILURES._value.get() >= failures + 2
    await cleo.say({"type": "ping"})
    await cleo.until("tick")
    await cleo.close()
