"""What a page may say, and how a socket ends that says anything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import psutil
import pytest
import websockets

from cortex.live.consumer import BadMessage, parse
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, commit, connect

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])

DEEP = '{"type":"join","topics":' + '{"a":' * 5000 + "1" + "}" * 5001
ABUSE: list[object] = [
    "",
    "not json",
    "null",
    "1",
    '"join"',
    "[]",
    '[{"type":"ping"}]',
    "{}",
    '{"type":"unknown"}',
    '{"type":null}',
    '{"type":"event"}',
    '{"type":"ping","more":1}',
    '{"type":"join"}',
    '{"type":"join","topics":{}}',
    '{"type":"join","topics":1}',
    '{"type":"join","topics":{"board:x":"1"}}',
    '{"type":"join","topics":{"board:x":-1}}',
    '{"type":"join","topics":{"board:x":1.5}}',
    '{"type":"join","topics":{"board:x":true}}',
    '{"type":"join","topics":{"board:x":NaN}}',
    '{"type":"join","topics":{"board:x":1e400}}',
    '{"type":"join","topics":{"board:x":9223372036854775808}}',
    '{"type":"join","topics":{"board:x":' + "9" * 5000 + "}}",
    json.dumps({"type": "join", "topics": {f"board:{n}": 0 for n in range(9)}}),
    '{"type":"seen","topic":"board:x"}',
    '{"type":"seen","topic":"board:x","n":"1"}',
    '{"type":"seen","topic":{"a":1},"n":1}',
    '{"type":"seen","topic":"board:x","n":1,"item":""}',
    '{"type":"seen","topic":"board:x","n":1,"item":7}',
    '{"type":"seen","topic":"board:x","n":1,"item":"' + "x" * 65 + '"}',
    '{"type":"seen","topic":"board:x","n":1,"item":"x","more":1}',
    DEEP,
    "[" * 60_000,
    b"\x00\x01",
    b'{"type":"ping"}',
]


async def test_anything_else_closes_with_4400(page: Callable[..., Page], cleo: Listener) -> None:
    codes = {}
    for number, said in enumerate(ABUSE):
        stranger = page()
        stranger.socket = await connect(stranger.server, cleo.cookie)
        await stranger.say(said)
        codes[number] = await stranger.closed()
    assert codes == dict.fromkeys(range(len(ABUSE)), 4400)


def test_the_parser_raises_nothing_but_bad_message() -> None:
    for said in ABUSE:
        if isinstance(said, str):
            with suppress(BadMessage):
                assert isinstance(parse(said), dict)


async def test_a_megabyte_is_cut_off_and_costs_no_memory(server: LiveServer, cleo: Listener) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(20):
        sock = await connect(server, cleo.cookie)
        with pytest.raises(websockets.ConnectionClosed) as end:
            await sock.send("x" * 1_000_000)
            await sock.recv()
        assert end.value.rcvd is None or end.value.rcvd.code == 1009
    assert process.memory_info().rss - before < 10 * 2**20


async def test_more_than_ten_messages_a_second_close_with_4429(page: Callable[..., Page]) -> None:
    cleo = await page().open()
    for _ in range(15):
        await cleo.say({"type": "ping"})
    assert await cleo.closed() == 4429


async def test_ten_messages_a_second_are_welcome(page: Callable[..., Page], organization: UUID) -> None:
    cleo = await page().open()
    for _ in range(9):
        await cleo.say({"type": "ping"})
    while cleo.ticks < 9:  # the second begins where the server has heard them
        await cleo.hear()
    await asyncio.sleep(1.05)
    for _ in range(9):
        await cleo.say({"type": "ping"})
    commit(organization)
    await cleo.until_number(1)
    assert cleo.ticks == 18
    await cleo.close()


async def test_another_origin_is_refused_at_the_handshake(server: LiveServer, cleo: Listener) -> None:
    others = [
        None,
        "null",
        "http://evil.example",
        "http://127.0.0.1:9",
        "http://localhost",
        "https://127.0.0.1",
    ]
    for origin in others:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connect(server, cleo.cookie, origin=origin)
        assert refused.value.response.status_code == 403, origin


async def test_a_session_key_in_the_address_opens_nothing(server: LiveServer, cleo: Listener) -> None:
    address = f"ws://127.0.0.1:{server.port}/ws/live/?sessionid={cleo.session_key}"
    sock = await websockets.connect(address, origin=server.origin)  # type: ignore[arg-type]
    with pytest.raises(websockets.ConnectionClosed) as end:
        await sock.recv()
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 4401
