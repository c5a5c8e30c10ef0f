"""A socket that forgot its filter still carries no card of another organization."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cortex.accounts.models import User
from crisis.alerts import access, queries
from crisis.alerts.models import AlertEvent
from patients.registry.models import Patient
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board, connect
from tests.makers import make_alert


def raised(patient: Patient) -> None:
    make_alert(patient)


async def test_the_board_s_feed_without_its_filter_holds_its_own_alerts_alone(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def unfiltered(key: str, number: int, limit: int) -> list[AlertEvent]:
        found = list(AlertEvent.objects.filter(feed_number__gt=number).order_by("feed_number")[:limit])
        asked.append({event.organization_id for event in found})
        return found

    monkeypatch.setattr(queries, "events_after", unfiltered)
    cast.on_duty()
    raised(cast.stranger)
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    raised(cast.patient)
    card = await page.until("event")
    assert cast.patient.anonymous_id in str(card)
    assert cast.stranger.anonymous_id not in str(card)
    assert set().union(*asked) == {cast.home.pk}
    await page.close()


async def test_nobody_joins_the_board_of_an_organization_out_of_reach(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "desk_organizations", lambda user: {cast.home.pk, cast.elsewhere.pk})
    cast.on_duty()
    raised(cast.stranger)
    page = Page(desk, signed_in(cast.cleo).cookie, board(cast.elsewhere.pk))
    page.socket = await connect(desk, page.cookie)
    await page.say({"type": "join", "topics": {page.topic: 0}})
    assert await page.closed() == 4403
    assert page.shown == []
