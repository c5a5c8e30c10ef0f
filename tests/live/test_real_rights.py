"""What people really do to end a right, against a real board on a real socket: closed for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
import websockets
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from cortex.accounts.actions import disable_user, update_organization, update_user
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from crisis.alerts.board_source import BoardSource
from crisis.alerts.models import RiskAlert
from crisis.duty.actions import end_shift, pause_shift
from crisis.duty.queries import has_cover, people_for
from crisis.ownership.actions import claim_alert
from crisis.sweep.loop import sweep_once
from tests import stores
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board, connect
from tests.live.test_board import raised
from tests.makers import staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
SignIn = Callable[[User], Listener]


def browser_of(listener: Listener) -> Client:
    client = Client()
    name, _, value = listener.cookie.partition("=")
    client.cookies[name] = value
    return client


def sign_out(cast: Cast, listener: Listener) -> None:
    assert browser_of(listener).post(reverse("accounts:logout")).status_code == 302


def end_it_in_the_own_list(cast: Cast, listener: Listener) -> None:
    row = UserSession.objects.create(
        user=cast.cleo, session_key=listener.session_key, ip="127.0.0.1", user_agent="a browser"
    )
    other = Client()
    other.force_login(cast.cleo)
    assert other.post(reverse("accounts:session_end"), {"session": str(row.pk)}).status_code == 303


def be_shut_out(cast: Cast, listener: Listener) -> None:
    disable_user(actor=staff(cast.ada), user_id=cast.cleo.pk)


def become_auditor(cast: Cast, listener: Listener) -> None:
    update_user(actor=staff(cast.ada), user_id=cast.cleo.pk, role=Role.AUDITOR)


def need_a_second_factor(cast: Cast, listener: Listener) -> None:
    rule = cast.home.settings | {"mfa_required_roles": ["counselor"]}
    update_organization(actor=staff(cast.ada), organization_id=cast.home.pk, settings=rule)


def end_the_shift(cast: Cast, listener: Listener) -> None:
    end_shift(actor=staff(cast.cleo))


async def answer_to(server: LiveServer, listener: Listener, cast: Cast) -> int:
    """Connect and join again as live.js would; return the code with which that ends."""
    page = Page(server, listener.cookie, board(cast.home.pk))
    page.socket = await connect(server, listener.cookie)
    with suppress(websockets.ConnectionClosed):
        await page.say({"type": "join", "topics": {page.topic: 0}})
    code = await page.closed()
    assert page.shown == []
    return code


@pytest.mark.parametrize(
    ("cause", "code", "again"),
    [
        (sign_out, 4401, 4401),
        (end_it_in_the_own_list, 4401, 4401),
        (be_shut_out, 4401, 4401),
        (become_auditor, 4401, 4403),
        (need_a_second_factor, 4401, 4401),
        (end_the_shift, 4403, 4403),
    ],
)
async def test_the_board_falls_silent_and_stays_so(
    cause: Callable[[Cast, Listener], None],
    code: int,
    again: int,
    desk: LiveServer,
    cast: Cast,
    signed_in: SignIn,
) -> None:
    cast.on_duty()
    cleo = signed_in(cast.cleo)
    page = await Page(desk, cleo.cookie, board(cast.home.pk)).open()
    cause(cast, cleo)
    assert await page.closed() == code
    raised(cast)
    assert await answer_to(desk, cleo, cast) == again


async def test_a_break_keeps_the_board_open(desk: LiveServer, cast: Cast, signed_in: SignIn) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    pause_shift(actor=staff(cast.cleo), minutes=10)
    await asyncio.to_thread(desk.run, desk.watch.check_rights())
    raised(cast)
    await page.until("event")
    await page.close()


def test_who_may_join_and_who_may_stay_are_the_same_people(cast: Cast) -> None:
    for on_shift in (cast.cleo, cast.ada, cast.sam):
        cast.on_duty(on_shift)
    key = str(cast.home.pk)
    leads = cast.home.settings | {"leads": [str(cast.bob.pk), str(cast.ada.pk)]}
    with stores.role("cortex_system"):
        type(cast.home).objects.filter(pk=cast.home.pk).update(settings=leads)
    everybody = [cast.alice, cast.bob, cast.charlie, cast.sam, cast.ada, cast.cleo]
    for disabled in (False, True):
        if disabled:
            disable_user(actor=staff(cast.ada), user_id=cast.cleo.pk)
        board, asked = BoardSource(), {(one.pk, "session") for one in everybody}
        may_join = {one.pk for one in everybody if board.may_join(one.pk, "session", key)}
        assert board.may_still_hear(key, list(asked)) == {pair for pair in asked if pair[0] in may_join}
        wanted = {cast.bob.pk, cast.sam.pk} | (set() if disabled else {cast.cleo.pk})
        assert may_join == wanted, "an administrator hears nothing, though on shift and a lead"


def test_a_shift_of_somebody_whose_role_has_changed_is_no_cover_and_holds_no_alert(
    cast: Cast, signed_in: SignIn
) -> None:
    cast.on_duty()
    signed_in(cast.cleo)
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    become_auditor(cast, signed_in(cast.cleo))
    assert not has_cover(cast.home.pk)
    assert people_for("on_duty", cast.home.pk) == []
    with stores.role("cortex_system"):
        sweep_once()
    assert RiskAlert.objects.get(pk=alert.pk).owner_gone_at is not None
