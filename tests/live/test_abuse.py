"""What nobody's page says, against the real board: each is answered as the table says, and nobody waits.

The messages that close a socket with 4400 whatever they are about stand in `test_messages.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import websockets

from cortex.access.actions import MOST_A_MINUTE
from cortex.accounts.models import User
from cortex.audit.models import AuditLog
from cortex.live.consumer import MESSAGES_PER_SECOND
from cortex.live.watch import gone_frame
from crisis.escalation.models import AttemptState, Channel, NotificationAttempt
from tests import stores
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import PUSHED, LiveServer, Page, board, connect
from tests.live.test_board import raised
from tests.makers import make_alert

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
SignIn = Callable[[User], Listener]
HUGE = 2**63 - 1
# The server says 1009 and hangs up; whoever is still sending may learn of the hanging up alone.
CUT_OFF = 1009


def join(**topics: object) -> str:
    """Return a page's wish to hear these topics after these numbers."""
    return json.dumps({"type": "join", "topics": topics})


def seen(topic: str, n: int, **more: str) -> str:
    """Return a page's word that it showed everything up to a number."""
    return json.dumps({"type": "seen", "topic": topic, "n": n, **more})


def table(cast: Cast) -> dict[str, tuple[list[Any], list[str] | int]]:
    """What is said, and the kinds of the answers or the code that closes."""
    own, foreign = board(cast.home.pk), board(cast.elsewhere.pk)
    spelled = f"board:{str(cast.home.pk).upper()}"
    plain = f"board:{cast.home.pk.hex}"
    strange = [
        "", ":", "board", "board:", f":{cast.home.pk}", f"Board:{cast.home.pk}", f" {own}", f"{own}\n",
        f"{own}\0", f"board:{'9' * 5000}", "board:../../etc", "board:*", "board:' OR 1=1 --", "\ud800",
        spelled, plain, f"urn:uuid:{cast.home.pk}",
    ]  # fmt: skip
    return {
        "a foreign topic": ([join(**{foreign: 0})], 4403),
        "one of nobody": ([join(**{board(uuid4()): 0})], 4403),
        "a foreign one beside the own": ([join(**{foreign: 0, own: None})], ["gone", "welcome"]),
        "a foreign one after the own": ([join(**{own: None}), join(**{foreign: 0})], ["welcome", "gone"]),
        **{f"the topic {one[:20]!r}": ([join(**{one: 0})], 4403) for one in strange},
        "eight of nobody, eight times": (
            [join(**{board(uuid4()): 0 for _ in range(8)}) for _ in range(8)], 4403),
        "thousands of topics": ([join(**{f"board:{n}": 0 for n in range(3000)})], 4400),
        "the own topic eight times": ([join(**{own: None})] * 8, ["welcome"] * 8),
        "a number of another life": ([join(**{own: HUGE})], ["welcome", "reload"]),
        "a number one too large": ([join(**{own: HUGE + 1})], 4400),
        "a number below nothing": ([join(**{own: -1})], 4400),
        "a number in pieces": ([f'{{"type":"join","topics":{{"{own}":0.0}}}}'], 4400),
        "a number as 1e3": ([f'{{"type":"join","topics":{{"{own}":1e3}}}}'], 4400),
        "minus nothing": ([f'{{"type":"join","topics":{{"{own}":-0.0}}}}'], 4400),
        "endless": ([f'{{"type":"join","topics":{{"{own}":-Infinity}}}}'], 4400),
        "seen before any join": (
            [seen(own, 1), '{"type":"ping"}'], ["refused", "tick"]),
        "seen of a foreign topic": (
            [join(**{own: None}), seen(foreign, 0), '{"type":"ping"}'],
            ["welcome", "refused", "tick"]),
        "seen far ahead": (
            [join(**{own: None}), seen(own, HUGE), '{"type":"ping"}'],
            ["welcome", "tick"]),
        "seen of an alert of nobody": (
            [join(**{own: None}), seen(own, 0, item=str(uuid4()))], ["welcome", "refused"]),
        "a member twice": (['{"type":"ping","type":"ping"}'], 4400),
        "one topic twice": ([f'{{"type":"join","topics":{{"{own}":0,"{own}":5}}}}'], 4400),
        "text that is no UTF-8": ([Raw(0x1, b"\xff\xfe{")], 1007),
        "a frame of a reserved kind": ([Raw(0x3, b"x")], 1002),
        "a control frame of 200 bytes": ([Raw(0x9, b"x" * 200)], 1002),
        "a little more than 64 KiB": (["x" * 65537], 1009),
        "64 KiB of blanks": ([" " * 65536], 4400),
        "a megabyte in small pieces": ([["x" * 1000] * 1000], CUT_OFF),
        "a thousand pings of the protocol": ([Raw(0x9, b"")] * 1000 + ['{"type":"ping"}'], ["tick"]),
        "a flood": (['{"type":"ping"}'] * 200, 4429),
        "a flood of joins": ([join(**{own: None})] * 60, 4429),
        "binary": ([b"\0" * 1000], 4400),
    }  # fmt: skip


class Raw:
    """A frame that no client library would send."""

    def __init__(self, opcode: int, payload: bytes) -> None:
        self.opcode, self.payload = opcode, payload

    @property
    def data(self) -> bytes:
        """The frame's bytes, masked as a browser's are."""
        size = len(self.payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126, *size.to_bytes(2, "big")])
        return bytes([0x80 | self.opcode]) + length + b"\0\0\0\0" + self.payload


NOTED = ("welcome", "gone", "refused", "reload", "event", "tick")


async def answers_to(
    socket: websockets.ClientConnection, said: list[Any], expected: list[str] | int
) -> list[str] | int:
    """Say everything, then hear as many answers of note, or the code with which the socket was closed.

    A server ticks by itself too: before the other answers have come a tick is none.
    """
    kinds: list[str] = []
    wanted = expected if isinstance(expected, list) else []
    others = sum(one != "tick" for one in wanted)
    try:
        for one in said:
            if isinstance(one, Raw):
                socket.transport.write(one.data)
            else:
                await socket.send(one)
        async with asyncio.timeout(20):
            while len(kinds) < len(wanted) if wanted else kinds.count("welcome") < len(said):
                kind = json.loads(await socket.recv())["type"]
                early = kind == "tick" and len(kinds) < others
                kinds += [kind] if kind in NOTED and not early else []
        return kinds
    except TimeoutError:
        return [*kinds, "silence"]
    except websockets.ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else CUT_OFF


async def test_every_abuse_is_answered_and_a_bystander_is_served_meanwhile(
    desk: LiveServer, cast: Cast, signed_in: SignIn
) -> None:
    with stores.role("cortex_system"):
        cast.on_duty()
    cleo, sam = signed_in(cast.cleo), signed_in(cast.sam)
    bystander = await Page(desk, sam.cookie, board(cast.home.pk), None).open()
    found, slowest = {}, 0.0
    wanted = table(cast)
    for number, (name, (said, expected)) in enumerate(wanted.items()):
        desk.watch.hub.turnstile.counts.clear()  # its sixty a minute have a test of their own
        socket = await connect(desk, cleo.cookie)
        sent = asyncio.get_running_loop().time()
        found[name] = await answers_to(socket, said, expected)
        took = asyncio.get_running_loop().time() - sent
        answers = found[name]
        let_in = isinstance(answers, list) and answers.count("welcome") == len(said)
        if expected == 4429 and let_in and took >= len(said) / MESSAGES_PER_SECOND - 1:
            # A machine that takes longer for each join hears no flood: it lets them wait, one by one.
            found[name] = expected
        if number % 8 == 0:
            raised(cast)
            began = asyncio.get_running_loop().time()
            assert (await bystander.until("event"))["topic"] == bystander.topic
            slowest = max(slowest, asyncio.get_running_loop().time() - began)
        await socket.close()
    assert found == {name: expected for name, (_, expected) in wanted.items()}
    assert slowest < PUSHED
    await bystander.close()
    with stores.role("cortex_system"):
        refused = AuditLog.objects.filter(event_type="access.refused", actor_id=cast.cleo.pk)
        foreign = refused.filter(object_id=cast.elsewhere.pk)
    # Once for one thing, and no more a minute than the trail takes from one person.
    assert foreign.count() == 1
    assert refused.count() <= MOST_A_MINUTE


async def test_what_a_page_says_it_saw_and_is_not_its_own_is_refused_and_on_record(
    desk: LiveServer, cast: Cast, signed_in: SignIn
) -> None:
    with stores.role("cortex_system"):
        cast.on_duty()
    own, foreign, nobodys = board(cast.home.pk), board(cast.elsewhere.pk), board(uuid4())
    theirs, missing = make_alert(cast.stranger).pk, uuid4()
    page = await Page(desk, signed_in(cast.cleo).cookie, own, None).open()
    answers = []
    for said in (
        seen(foreign, 0), seen(nobodys, 0), seen("caseload:x", 0), seen("no topic", 0),
        seen(own, 0, item=str(theirs)), seen(own, 0, item=str(missing)), seen(own, 0, item="no id"),
        seen(foreign, 1),
    ):  # fmt: skip
        await page.say(said)
        answers.append(await page.until("refused"))
        await asyncio.sleep(0.12)  # ten a second are too many
    told = [(one["topic"], one.get("item")) for one in answers]
    assert told == [
        (foreign, None), (nobodys, None), ("caseload:x", None), ("no topic", None),
        (own, str(theirs)), (own, str(missing)), (own, "no id"),
        (foreign, None),
    ]  # fmt: skip
    await page.say('{"type":"ping"}')
    await page.until("tick")  # and it stays where it is
    await page.close()
    with stores.role("cortex_system"):
        rows = AuditLog.objects.filter(event_type="access.refused", actor_id=cast.cleo.pk)
        found = {(row.codes["place"], row.object_id) for row in rows}
        assert len(found) == rows.count(), "once a minute for one thing"
    ids = (cast.elsewhere.pk, UUID(nobodys.partition(":")[2]), theirs, missing, None)
    assert found == {*(("live:board", one) for one in ids), ("live:caseload", None)}


async def test_a_page_that_saw_an_alert_of_its_own_board_is_believed_without_a_word(
    desk: LiveServer, cast: Cast, signed_in: SignIn
) -> None:
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    alert = raised(cast)
    n = (await page.until("event"))["n"]
    told = NotificationAttempt.objects.filter(alert=alert, user=cast.cleo, channel=Channel.BOARD)
    await page.say(seen(page.topic, n, item=str(alert.pk)))
    async with asyncio.timeout(20):
        while not told.filter(state=AttemptState.CONFIRMED).exists():
            await asyncio.sleep(0.05)
    assert {one.state for one in told} == {AttemptState.CONFIRMED}
    await page.say('{"type":"ping"}')
    kinds = []
    while (kind := (await page.hear())["type"]) != "tick":
        kinds.append(kind)
    assert "refused" not in kinds
    await page.close()
    assert not AuditLog.objects.filter(event_type="access.refused").exists()


def test_a_topic_is_given_back_as_text_and_never_as_a_frame_of_its_own() -> None:
    for name in ('x","type":"welcome', "\ud800", "\0", "</script>"):
        frame = gone_frame(name)["text"]
        assert json.loads(frame) == {"type": "gone", "topic": name}
        assert frame.encode()
