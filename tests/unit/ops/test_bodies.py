"""Bodies are read before a thread is taken: in time, as long as allowed, within the room of the process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cortex.ops import pages
from cortex.ops.pages import FREE, Pages, Room

PART = bytes(2**20)


def scope(path: str) -> dict[str, Any]:
    headers = [(b"host", b"testserver"), (b"content-type", b"multipart/form-data; boundary=x")]
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
            "headers": headers}  # fmt: skip


class Client:
    """Somebody who sends a body as slowly as a test wants."""

    def __init__(self, handler: Pages, path: str = "/accounts/login/") -> None:
        self.parts: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.sent: list[Any] = []
        self.task = asyncio.ensure_future(handler(scope(path), self._receive, self._send))

    async def _receive(self) -> Any:
        body, more = await self.parts.get()
        return {"type": "http.request", "body": body, "more_body": more}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    def send(self, body: bytes, *, more: bool = True) -> None:
        self.parts.put_nowait((body, more))

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


def test_a_body_that_drips_is_refused_in_time_and_others_are_answered_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(Pages, "_answer", lambda self, scope, body: pages.HttpResponse(body.read()))

    async def run() -> None:
        handler = Pages()
        dripping = [Client(handler, path) for path in ["/accounts/login/", "/api/v1/intake"] * 50]
        for one in dripping:
            one.send(b"a")
        quick = Client(handler)
        quick.send(b"all", more=False)
        await asyncio.wait_for(quick.task, 0.4)
        assert (quick.status, quick.sent[1]["body"]) == (200, b"all")
        assert not any(one.sent for one in dripping)
        await asyncio.wait([one.task for one in dripping], timeout=5)
        assert {one.status for one in dripping} == {408}
        assert b"Too slow" in dripping[0].sent[1]["body"] and b'"too_slow"' in dripping[1].sent[1]["body"]
        assert dict(dripping[0].sent[0]["headers"])[b"Connection"] == b"close"

    asyncio.run(run())


def test_long_bodies_share_a_room_and_short_ones_are_always_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "_answer", lambda self, scope, body: pages.HttpResponse(str(len(body.read()))))

    async def run() -> None:
        handler = Pages()
        handler.room = Room(5 * 2**20)
        long = [Client(handler, "/api/v1/intake") for _ in range(6)]
        for one in long:
            one.send(PART)
        await asyncio.sleep(0.05)
        assert [one.status for one in long if one.sent] == [503]
        refused = next(one for one in long if one.sent)
        assert dict(refused.sent[0]["headers"])[b"Retry-After"] == b"5"
        short = [Client(handler) for _ in range(50)]
        for one in short:
            one.send(bytes(FREE), more=False)
        await asyncio.gather(*(one.task for one in short))
        assert {one.status for one in short} == {200}
        for one in long:
            one.send(b"", more=False)
        await asyncio.gather(*(one.task for one in long))
        assert sorted(one.status for one in long) == [200] * 5 + [503]
        assert handler.room.left == 5 * 2**20, "what was taken comes back"

    asyncio.run(run())


def test_a_body_that_is_too_long_or_whose_sender_left_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        handler = Pages()
        before = handler.room.left
        long = Client(handler)
        for _ in range(13):
            long.send(PART)
        await asyncio.sleep(0.05)
        assert handler.room.left == before, "what is only thrown away takes no room"
        long.send(b"", more=False)
        await long.task
        assert long.status == 413
        left = Client(handler)
        left.send(PART)
        await asyncio.sleep(0.05)
        assert handler.room.left < before
        left.task.cancel()
        await asyncio.wait([left.task])
        assert handler.room.left == before

    asyncio.run(run())
