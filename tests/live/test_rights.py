"""A socket outlives neither its session nor the right to hear: closed within 5 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from cortex.accounts.models import User
from cortex.accounts.sessions.models import SessionState
from cortex.live import rooms
from tests import stores
from tests.live.conftest import Listener
from tests.live.stage import BUSY, LiveServer, Page, TableSource, board, commit, connect

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


def sign_out(cleo: Listener) -> None:
    Session.objects.filter(session_key=cleo.session_key).delete()


def expire(cleo: Listener) -> None:
    Session.objects.filter(session_key=cleo.session_key).update(expire_date=timezone.now())


def disable(cleo: Listener) -> None:
    User.objects.filter(pk=cleo.user.pk).update(is_active=False, disabled_at=timezone.now())


def change_role(cleo: Listener) -> None:
    User.objects.filter(pk=cleo.user.pk).update(access_version=cleo.user.access_version + 1)


def idle(cleo: Listener) -> None:
    age(cleo, started=timedelta(hours=1), last_input=timedelta(minutes=30))


def grow_too_old(cleo: Listener) -> None:
    age(cleo, started=timedelta(hours=13), last_input=timedelta())


def age(cleo: Listener, *, started: timedelta, last_input: timedelta) -> None:
    now = timezone.now()
    SessionState.objects.update_or_create(
        session_key=cleo.session_key,
        defaults={"user": cleo.user, "started_at": now - started, "last_input_at": now - last_input},
    )


CAUSES = [sign_out, expire, disable, change_role, idle, grow_too_old]
# A changed role ends what it opened, not the session: it hears again what the new role may hear.
FOR_GOOD = [cause for cause in CAUSES if cause is not change_role]


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_socket_is_closed_within_5_seconds(
    cause: Callable[[Listener], None], page: Callable[..., Page], cleo: Listener
) -> None:
    open_page = await page().open()
    began = time.monotonic()
    with stores.role("cortex_system"):
        cause(cleo)
    assert await open_page.closed() == 4401
    assert time.monotonic() - began < 5 + BUSY


@pytest.mark.parametrize("cause", FOR_GOOD)
async def test_a_session_that_is_over_opens_no_socket_again(
    cause: Callable[[Listener], None], page: Callable[..., Page], cleo: Listener, server: LiveServer
) -> None:
    with stores.role("cortex_system"):
        cause(cleo)
    again = page()
    again.socket = await connect(server, cleo.cookie)
    assert await again.closed() == 4401
    assert again.ticks == 0
    assert not server.watch.hub.sockets


async def test_a_covered_board_keeps_its_socket_while_its_person_idles(
    page: Callable[..., Page], cleo: Listener, server: LiveServer
) -> None:
    with stores.role("cortex_system"):
        idle(cleo)
        SessionState.objects.update(on_board=True)
        User.objects.filter(pk=cleo.user.pk).update(pin_hash="set")
    open_page = await page().open()
    await asyncio.to_thread(server.run, server.watch.check_rights())
    await open_page.say({"type": "ping"})
    await open_page.until("tick")
    await open_page.close()


async def test_a_page_that_connects_without_end_is_turned_away(
    page: Callable[..., Page],
    cleo: Listener,
    sign_in: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rooms, "HANDSHAKES", 3)
    for _ in range(3):
        await (await page().open()).close()
    wild = page()
    wild.socket = await connect(wild.server, cleo.cookie)
    assert await wild.closed() == 4429
    other = await page(who=sign_in("sam@example.org")).open()
    other.server.watch.hub.turnstile.until = 0.0  # a window later
    again = await page().open()
    for one in (other, again):
        await one.close()


async def test_an_ended_duty_takes_the_topic_away_and_closes_the_socket(
    page: Callable[..., Page], cleo: Listener, source: TableSource, organization: UUID
) -> None:
    open_page = await page().open()
    began = time.monotonic()
    source.refused.add(cleo.user.pk)
    gone = await open_page.until("gone")
    assert gone["topic"] == board(organization)
    assert await open_page.closed() == 4403
    assert time.monotonic() - began < 5 + BUSY


async def test_other_people_keep_their_sockets(
    page: Callable[..., Page], sign_in: Callable[..., Listener], cleo: Listener, organization: UUID
) -> None:
    sam = sign_in("sam@example.org")
    hers, his = await page().open(), await page(who=sam).open()
    sign_out(cleo)
    assert await hers.closed() == 4401
    commit(organization)
    await his.until_number(1)
    await his.close()


async def test_who_may_not_join_is_told_so_and_hears_nothing(
    page: Callable[..., Page], cleo: Listener, source: TableSource
) -> None:
    source.refused.add(cleo.user.pk)
    stranger = page()
    stranger.socket = await connect(stranger.server, cleo.cookie)
    await stranger.say({"type": "join", "topics": {stranger.topic: 0}})
    assert (await stranger.hear())["type"] == "gone"
    assert await stranger.closed() == 4403
    assert stranger.shown == []


async def test_a_topic_that_does_not_exist_answers_like_a_forbidden_one(
    page: Callable[..., Page], cleo: Listener
) -> None:
    for key in ("no-such-id", "00000000-0000-7000-8000-000000000000x", "x"):
        stranger = page()
        stranger.socket = await connect(stranger.server, cleo.cookie)
        await stranger.say({"type": "join", "topics": {f"board:{key}": 0}})
        assert (await stranger.hear())["type"] == "gone"
        assert await stranger.closed() == 4403


async def test_without_a_session_the_socket_closes_with_4401(server: LiveServer) -> None:
    for cookie in ("", "sessionid=forged"):
        stranger = Page(server, cookie, "board:x")
        stranger.socket = await connect(server, cookie)
        assert await stranger.closed() == 4401


async def test_a_board_finds_room_beside_many_pages_but_not_without_end(
    page: Callable[..., Page], cleo: Listener, sign_in: Callable[..., Listener]
) -> None:
    pages = [await page().open() for _ in range(12)]
    one_more = page()
    one_more.socket = await connect(one_more.server, cleo.cookie)
    assert await one_more.closed() == 4429
    other = await page(who=sign_in("sam@example.org")).open()
    await pages.pop().close()
    again = await page().open()
    for one in [*pages, other, again]:
        await one.close()
