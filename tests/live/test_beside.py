"""The lists beside the board: their marks reach every page after a commit, with or without a hint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from cortex.accounts.models import User
from cortex.live import hints, watch
from crisis.alerts import queries
from crisis.duty.actions import end_shift, pause_shift, resume_shift, start_shift
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import make_item
from crisis.reviews.models import SecondReview
from tests import makers
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, PrivateRedis, board, wait_until
from tests.live.test_board import raised
from tests.makers import staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@contextmanager
def overheard(server: PrivateRedis) -> Iterator[list[bytes]]:
    """Listen to the hints beside the hub."""
    listener = redis.Redis.from_url(server.url).pubsub()
    listener.subscribe(hints.CHANNEL)
    listener.get_message(timeout=20)
    heard: list[bytes] = []
    yield heard
    while message := listener.get_message(timeout=0.5):
        heard.append(message["data"])
    listener.close()


def shift_moves(cast: Cast) -> list[Callable[[], object]]:
    sam = staff(cast.sam)
    return [
        lambda: start_shift(actor=sam, shift_id=None, sound_tested=True),
        lambda: pause_shift(actor=sam, minutes=10),
        lambda: resume_shift(actor=sam),
        lambda: end_shift(actor=sam),
    ]


async def test_each_change_of_a_shift_gives_the_board_another_mark(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener], redis_server: PrivateRedis
) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    await asyncio.to_thread(wait_until, lambda: desk.watch.wakeups.is_up)
    seen = [(await page.until("marks"))["marks"]]
    with overheard(redis_server) as said:
        for move in shift_moves(cast):
            move()
            seen.append((await page.until("marks"))["marks"])
    alone, both, on_a_break, back, left = [one["shift"] for one in seen]
    assert len({alone, both, on_a_break}) == 3
    assert (back, left) == (both, alone), "a mark stands for the list, not for a time"
    assert {one["readings"] for one in seen} == {seen[0]["readings"]}
    assert said == [f'{{"topic":"{page.topic}","n":0}}'.encode()] * 4, (
        "a hint names the board and nothing else"
    )
    assert page.shown == [], "no number of the feed is taken for it"
    await page.close()


async def test_a_caseload_hears_of_an_alert_when_the_board_does_and_not_five_seconds_later(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ASK", 60.0)
    page = await Page(desk, signed_in(cast.alice).cookie, f"caseload:{cast.alice.pk}").open()
    await asyncio.to_thread(wait_until, lambda: desk.watch.wakeups.is_up)
    await asyncio.to_thread(desk.run, desk.watch.ask_marks())
    before = (await page.until("marks"))["marks"]
    alert = raised(cast)
    after = (await page.until("marks"))["marks"]
    assert after != before
    claim_alert(actor=staff(cast.on_duty().user), alert_id=alert.pk)
    assert (await page.until("marks"))["marks"] != after
    await page.close()


async def test_a_lost_hint_is_healed_by_asking(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener], redis_server: PrivateRedis
) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    before = (await page.until("marks"))["marks"]
    redis_server.kill()
    shift_moves(cast)[0]()
    assert (await page.until("marks"))["marks"] != before
    await page.close()


async def test_a_page_that_joins_later_is_told_what_the_others_know(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    first = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    told: Any = await first.until("marks")
    second = await Page(desk, signed_in(cast.sam).cookie, board(cast.home.pk)).open()
    assert await second.until("marks", 1) == told
    for page in (first, second):
        await page.close()


def test_a_mark_changes_with_its_own_list_alone(cast: Cast) -> None:
    cast.on_duty()
    alert, home, elsewhere = raised(cast), cast.home.pk, cast.elsewhere.pk
    before = queries.marks([home, elsewhere], makers.now())
    review = SecondReview.objects.create(
        organization=cast.home, alert=alert, kind="false_alarm", asked_by=cast.cleo,
        asked_at=makers.now(), due_at=makers.now(),
    )  # fmt: skip
    asked = queries.marks([home, elsewhere], makers.now())
    assert asked[str(home)]["readings"] != before[str(home)]["readings"]
    assert asked[str(home)]["shift"] == before[str(home)]["shift"]
    assert asked[str(elsewhere)] == before[str(elsewhere)]
    review.decided_at, review.agreed = makers.now(), False
    review.save()
    assert queries.marks([home, elsewhere], makers.now()) == before
    machine = makers.machine(cast.home)
    make_item(actor=machine, organization_id=home, patient=cast.patient, reason_code="medium_risk")
    due = queries.marks([home, elsewhere], makers.now())
    assert due[str(home)]["today"] != before[str(home)]["today"]
    assert due[str(home)] | {"today": ""} == before[str(home)] | {"today": ""}
    assert due[str(elsewhere)] == before[str(elsewhere)]
