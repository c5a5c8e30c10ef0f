"""Nothing is missed and nothing comes twice, whoever commits when and whichever connection is lost."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from cortex.live import door
from tests.live.conftest import Listener
from tests.live.stage import PUSHED, LiveServer, Page, TableSource, board, commit, connect, wait_until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


async def test_an_event_arrives_within_a_blink(
    page: Callable[..., Page], server: LiveServer, organization: UUID
) -> None:
    cleo = await page().open()
    await asyncio.to_thread(wait_until, lambda: server.watch.wakeups.is_up)
    for number in range(1, 5):
        commit(organization)
        assert await cleo.until_number(number) < PUSHED
    await cleo.close()


async def test_a_page_that_comes_back_gets_what_it_missed_once(
    page: Callable[..., Page], organization: UUID
) -> None:
    cleo = await page().open()
    commit(organization, 3)
    await cleo.until_number(3)
    cleo.cut()
    commit(organization, 4)
    await cleo.open()
    commit(organization)
    await cleo.until_number(8)
    assert cleo.shown == list(range(1, 9))
    await cleo.close()


async def test_what_happened_between_rendering_and_joining_is_replayed(
    page: Callable[..., Page], organization: UUID
) -> None:
    commit(organization, 5)
    rendered_at = 3
    cleo = await page(rendered_at).open()
    await cleo.until_number(5)
    assert cleo.shown == [4, 5]
    await cleo.close()


async def test_a_page_without_a_number_hears_only_what_comes(
    page: Callable[..., Page], organization: UUID
) -> None:
    commit(organization, 5)
    cleo = page(None)
    await cleo.open()
    commit(organization)
    await cleo.until_number(6)
    assert cleo.shown == [6]
    await cleo.close()


async def test_a_page_that_is_too_far_behind_is_told_to_reload(
    page: Callable[..., Page], organization: UUID, source: TableSource
) -> None:
    source.too_far = 10
    commit(organization, 50)
    cleo = await page(1).open()
    await cleo.until("reload")
    cleo.last = 50
    await cleo.say({"type": "join", "topics": {cleo.topic: 50}})
    await cleo.until("welcome")
    commit(organization)
    await cleo.until_number(51)
    assert cleo.shown == [51]
    await cleo.close()


async def test_a_page_from_another_life_of_the_database_is_told_to_reload(
    page: Callable[..., Page], organization: UUID
) -> None:
    commit(organization, 2)
    cleo = await page(900).open()
    await cleo.until("reload")
    await cleo.close()


def commit_elsewhere(organization: UUID) -> None:
    commit(organization)
    connections.close_all()


async def test_what_comes_between_the_seat_and_the_welcome_is_not_swallowed(
    page: Callable[..., Page], organization: UUID, server: LiveServer, sign_in: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    commit(organization, 2)
    first = await page(2, who=sign_in("sam@example.org")).open()
    take_seat = door.take_seat

    async def slowly(*arguments: Any) -> Any:
        seat = await take_seat(*arguments)
        await asyncio.to_thread(commit_elsewhere, organization)
        await asyncio.to_thread(wait_until, lambda: seat.room.last == 3)
        return seat

    monkeypatch.setattr(door, "take_seat", slowly)
    cleo = Page(server, page().cookie, board(organization), None)
    cleo.socket = await connect(server, cleo.cookie)
    await cleo.say({"type": "join", "topics": {cleo.topic: None}})
    welcome = await cleo.until("welcome")
    assert welcome["topics"] == {cleo.topic: 2}
    cleo.last = 2
    await cleo.until_number(3)
    await first.close()
    await cleo.close()


async def test_joining_again_moves_the_seat_and_sends_nothing_twice(
    page: Callable[..., Page], organization: UUID
) -> None:
    cleo = await page().open()
    commit(organization, 3)
    await cleo.until_number(3)
    await cleo.say({"type": "join", "topics": {cleo.topic: 3}})
    await cleo.until("welcome")
    commit(organization)
    await cleo.until_number(4)
    assert cleo.shown == [1, 2, 3, 4]
    await cleo.close()


async def test_seen_reaches_the_source_once_the_page_was_sent_the_number(
    page: Callable[..., Page], organization: UUID, source: TableSource
) -> None:
    cleo = await page().open()
    commit(organization, 2)
    await cleo.until_number(2)
    for n in (2, 2, 1, 99):
        await cleo.say({"type": "seen", "topic": cleo.topic, "n": n})
    await asyncio.to_thread(wait_until, lambda: source.seen)
    await asyncio.sleep(0.4)  # another one would come meanwhile
    assert [(key, n) for _, key, n in source.seen] == [(str(organization), 2)]
    await cleo.close()


async def test_what_people_say_that_they_saw_holds_up_no_news(
    page: Callable[..., Page], organization: UUID, source: TableSource
) -> None:
    pages = [await page().open() for _ in range(5)]
    commit(organization)
    source.slow_seen = 2 * PUSHED
    for one in pages:
        await one.until_number(1)
        await one.say({"type": "seen", "topic": one.topic, "n": 1})
    await asyncio.sleep(0.3)
    commit(organization)
    late = [await one.until_number(2) for one in pages]
    source.slow_seen = 0.0
    assert max(late) < PUSHED
    for one in pages:
        await one.close()


async def test_seen_of_one_item_says_nothing_of_the_others(
    page: Callable[..., Page], organization: UUID, source: TableSource
) -> None:
    cleo = await page().open()
    commit(organization, 2)
    await cleo.until_number(2)
    for item, n in (("this", 2), ("this", 2), ("that", 1), ("that", 99)):
        await cleo.say({"type": "seen", "topic": cleo.topic, "n": n, "item": item})
    async with asyncio.timeout(20):
        while len(source.items) < 2:
            await asyncio.sleep(0.02)
    assert sorted(source.items) == [("that", 1), ("this", 2)]
    assert source.seen == []
    await cleo.close()


async def test_the_source_learns_who_heard_which_numbers(
    page: Callable[..., Page], organization: UUID, source: TableSource
) -> None:
    commit(organization, 2)
    cleo = await page(1).open()
    commit(organization, 3)
    await cleo.until_number(5)
    await cleo.close()
    await asyncio.to_thread(wait_until, lambda: source.closed)
    assert [n for _, n in source.opened] == [1]
    assert [numbers[1:] for numbers in source.closed] == [(2, 5)]


async def test_concurrent_commits_and_lost_connections_lose_nothing(
    server: LiveServer, serve: Callable[..., LiveServer], page: Callable[..., Page], organization: UUID
) -> None:
    """4 writers commit 200 events with pauses inside transactions; 4 pages on 2 servers keep falling."""
    servers = [server, serve()]
    pages = [page(server=servers[number % 2]) for number in range(4)]
    writers = [threading.Thread(target=_write, args=(organization, 50)) for _ in range(4)]
    for writer in writers:
        writer.start()
    await asyncio.gather(*(_live_through(one, 200) for one in pages))
    for writer in writers:
        writer.join()
    assert [one.shown for one in pages] == [list(range(1, 201))] * 4


def _write(organization: UUID, count: int) -> None:
    for _ in range(count):
        commit(organization, pause=random.uniform(0, 0.01))
    connection.close()


async def _live_through(page: Page, until: int) -> None:
    async with asyncio.timeout(60):
        while (page.last or 0) < until:
            await page.open()
            try:
                await page.until_number(min(until, (page.last or 0) + random.randint(5, 40)), 30)
            finally:
                page.cut()


async def test_readers_who_return_together_cost_one_read(
    server: LiveServer, sign_in: Callable[..., object], organization: UUID, source: TableSource
) -> None:
    commit(organization, 20)
    people = [sign_in(f"c{number}@example.org") for number in range(8)]
    pages = [Page(server, who.cookie, board(organization)) for who in people]  # type: ignore[attr-defined]
    source.reads, source.slow = 0, 1.0  # so that they meet, however busy the machine is
    await asyncio.gather(*(one.open() for one in pages))
    await asyncio.gather(*(one.until_number(20) for one in pages))
    assert source.reads < len(pages)
    for one in pages:
        await one.close()
