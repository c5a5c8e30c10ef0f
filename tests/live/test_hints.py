"""A hint is cheap, carries no health data, and never costs a request its time."""

from __future__ import annotations

import json
import time
from typing import Any

import redis

from cortex.live import hints
from cortex.live.wakeups import Wakeups
from tests.live.stage import PrivateRedis


def test_a_hint_carries_a_topic_and_a_number_and_nothing_else(redis_server: PrivateRedis) -> None:
    listener = redis.Redis.from_url(redis_server.url).pubsub()
    listener.subscribe(hints.CHANNEL)
    listener.get_message(timeout=20)
    assert hints.publish("board:1", 7)
    message: Any = listener.get_message(timeout=20)
    assert json.loads(message["data"]) == {"topic": "board:1", "n": 7}
    listener.close()


def test_the_connection_is_kept_and_survives_a_restart(redis_server: PrivateRedis) -> None:
    assert hints.publish("board:1", 1)
    client = hints._publisher.client
    assert hints.publish("board:1", 2)
    assert hints._publisher.client is client
    redis_server.kill()
    redis_server.start()
    assert hints.publish("board:1", 3)


def test_a_stalled_redis_delays_one_request_a_little_and_the_next_not_at_all(
    redis_server: PrivateRedis, caplog: Any
) -> None:
    assert hints.publish("board:secret-topic", 1)
    redis_server.stall()
    began = time.monotonic()
    assert not hints.publish("board:secret-topic", 2)
    waited = time.monotonic() - began
    # The next ones don't even ask: a hundred of them together wait less than five that did.
    began = time.monotonic()
    assert not any(hints.publish("board:secret-topic", number) for number in range(3, 103))
    assert time.monotonic() - began < 5 * waited < 25
    assert "secret-topic" not in caplog.text
    assert [record.code for record in caplog.records if record.name == hints.__name__] == ["TimeoutError"]


def test_a_dead_redis_costs_nothing(redis_server: PrivateRedis) -> None:
    redis_server.kill()
    hints.reset()
    assert not hints.publish("board:1", 1)


def test_the_breaker_closes_again(redis_server: PrivateRedis, monkeypatch: Any) -> None:
    monkeypatch.setattr(hints, "BREAKER_OPEN", 0.2)
    redis_server.kill()
    assert not hints.publish("board:1", 1)
    redis_server.start()
    time.sleep(0.25)
    assert hints.publish("board:1", 2)


def test_a_hint_that_is_none_costs_the_subscription_nothing() -> None:
    heard: list[tuple[str, int]] = []
    wakeups = Wakeups(lambda topic, n: heard.append((topic, n)), lambda up: None)
    for said in (
        b'{"topic":"board:1","n":1e400}',
        b'{"topic":"board:1","n":"x"}',
        b"[]",
        b"{",
        b"[" * 100_000,
    ):
        wakeups._take(said)
    wakeups._take(b'{"topic":"board:1","n":7}')
    assert heard == [("board:1", 7)]
