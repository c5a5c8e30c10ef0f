"""The real board over the real path: an alert is raised, its card arrives, and being seen confirms it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cortex.accounts.models import User
from cortex.audit.models import PhiAccessLog
from crisis.alerts.models import RiskAlert
from crisis.escalation.models import AttemptState, Channel, NotificationAttempt
from crisis.ownership.actions import claim_alert
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board, connect
from tests.makers import make_alert, staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


def raised(cast: Cast) -> RiskAlert:
    return make_alert(cast.patient)


async def test_a_raised_alert_arrives_as_a_card_and_seen_confirms_the_notification(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    await asyncio.sleep(0.5)
    alert = raised(cast)
    card = await page.until("event")
    assert card["alert"] == str(alert.pk)
    assert (card["level"], card["owner"]) == ("critical", None)
    assert f"q-{alert.pk}" in card["html"]
    await page.say({"type": "seen", "topic": page.topic, "n": card["n"]})
    told = NotificationAttempt.objects.filter(alert=alert, user=cast.cleo, channel=Channel.BOARD)
    async with asyncio.timeout(20):
        while not told.filter(state=AttemptState.CONFIRMED).exists():
            await asyncio.sleep(0.05)
    assert [attempt.state for attempt in told] == [AttemptState.CONFIRMED]
    await page.close()


async def test_a_claim_reaches_the_others_and_nobody_misses_a_number(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    pages = [
        await Page(desk, signed_in(who).cookie, board(cast.home.pk)).open() for who in (cast.cleo, cast.sam)
    ]
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    for page in pages:
        async with asyncio.timeout(20):
            while str(cast.cleo.pk) not in str((message := await page.hear()).get("owner")):
                pass
        assert message["state"] == "acknowledged"
        assert page.shown == list(range(1, len(page.shown) + 1))
        await page.close()


async def test_a_socket_of_the_board_leaves_access_rows_with_its_numbers(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    raised(cast)
    await page.until("event")
    await page.close()
    rows = PhiAccessLog.objects.filter(data_type="board.socket").order_by("id")
    async with asyncio.timeout(20):
        while rows.count() < 2:
            await asyncio.sleep(0.05)
    ranges = [(row.number_from, row.number_to) for row in rows]
    assert ranges[0] == (0, None)
    assert ranges[1][0] == 1
    assert (ranges[1][1] or 0) >= 1


async def test_who_is_not_on_duty_hears_nothing(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    for stranger in (cast.charlie, cast.bob):
        who = signed_in(stranger)
        page = Page(desk, who.cookie, board(cast.home.pk))
        page.socket = await connect(desk, who.cookie)
        await page.say({"type": "join", "topics": {page.topic: 0}})
        assert (await page.hear())["type"] == "gone"
        assert await page.closed() == 4403
