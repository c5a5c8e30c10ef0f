"""Pages under an asynchronous server: the body is read first, then a request runs whole in one thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import set_script_prefix

from cortex.ops.postgres.base import answers_by

# Made as they are needed. As many as may wait for a database that stands still before `/healthz` waits, too;
# how many work with the database at once its pool decides.
THREADS = 64
# All that a request asks its databases is over in so many seconds: with the last wait for a connection, none
# takes longer than half a minute.
REQUEST_SECONDS = 20.0
# So many times the longest body is read and thrown away, for a browser that hears nothing while it sends.
PATIENCE = 4
# A body that is not whole after so many seconds is given up, however steadily it drips: 12 MB at 1 Mbit/s.
BODY_SECONDS = 120.0
# All bodies that come in or are worked on hold so many bytes of a process together, without the beginning
# of each: short ones, a cry for help among them, are taken in any case.
ROOM = 256 * 2**20
FREE = 64 * 2**10


class BodyRefused(Exception):
    """A body that is not taken: the status, its code, and two sentences."""

    status, code, title, detail = 400, "body_refused", "", ""


class TooLong(BodyRefused):
    """A body that nobody takes, whatever length it declared."""

    status, code, title, detail = 413, "too_large", "Too large", "Send less at once."


class TooSlow(BodyRefused):
    """A body that did not end in time."""

    status, code, title, detail = 408, "too_slow", "Too slow", "The body did not come in time. Send it again."


class NoRoom(BodyRefused):
    """A long body among too many others."""

    status, code, title, detail = 503, "no_room", "Too much at once", "Send it again in a few seconds."


class Room:
    """How many bytes are left for long bodies in this process; only the event loop asks."""

    def __init__(self, most: int = ROOM) -> None:
        self.left = most


class Body(BytesIO):
    """A body in memory: what it takes of the room it gives back when it is emptied or closed."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room, self._taken = room, 0

    def add(self, part: bytes) -> None:
        """Keep one more part; raise NoRoom when there is none."""
        more = max(0, self.tell() + len(part) - FREE) - self._taken
        if more > self._room.left:
            raise NoRoom
        self._room.left -= more
        self._taken += more
        self.write(part)

    def empty(self) -> None:
        """Throw away what came."""
        self.seek(0)
        self.truncate()
        self._give_back()

    def close(self) -> None:
        """Forget it."""
        self._give_back()
        super().close()

    def _give_back(self) -> None:
        self._room.left += self._taken
        self._taken = 0


class Pages(ASGIHandler):
    """Django's handler with its middleware in synchronous form, since ours all are.

    Its own would make a thread for each request, and hop between it and the event loop for each middleware of
    the other kind. No answer of ours is a stream, so the request ends in its thread, too.
    """

    def __init__(self) -> None:
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")
        self.room = Room()

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request; an answer to somebody who has left goes nowhere."""
        try:
            body = await self._take(scope, receive)
        except RequestAborted:
            return
        except BodyRefused as refusal:
            await self.send_response(_refusal(scope, refusal), send)
            return
        with body:
            work = copy_context().run
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, work, self._answer, scope, body)
        await self.send_response(response, send)

    async def _take(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]]) -> BytesIO:
        """Read a body in time, before any thread is asked for: one that drips holds up nobody."""
        _refuse_declared(scope)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self.read_body(receive)
        except TimeoutError:
            raise TooSlow from None

    async def read_body(self, body_receive: Callable[[], Awaitable[Any]]) -> BytesIO:  # type: ignore[override]
        """Read a body into memory, where it stays; raise BodyRefused for more than the settings allow."""
        body = Body(self.room)
        try:
            await self._fill(body, body_receive)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return body

    async def _fill(self, body: Body, receive: Callable[[], Awaitable[Any]]) -> None:
        most, length, more = settings.FILE_UPLOAD_MAX_MEMORY_SIZE, 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted()
            part = message.get("body", b"")
            length += len(part)
            if length <= most:
                body.add(part)
            elif length > PATIENCE * most:
                raise TooLong
            else:
                body.empty()
            more = message.get("more_body", False)
        if length > most:
            raise TooLong

    def _answer(self, scope: dict[str, Any], body: Any) -> Any:
        """Answer a request from its first signal to its last; its connections go back before bytes leave."""
        try:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=self.__class__, scope=scope)
            request, refusal = self.create_request(scope, body)
            with answers_by(REQUEST_SECONDS):
                response: Any = refusal if request is None else self._page(request)
            if response.streaming:
                raise RuntimeError("an answer must be whole: a stream would outlive its transaction")
            response.close()
            return response
        finally:
            # A thread outlives its request, and the next one may come much later.
            connections.close_all()

    def _page(self, request: HttpRequest) -> Any:
        response: Any = self.get_response(request)
        response._handler_class = self.__class__
        return response


def _refuse_declared(scope: dict[str, Any]) -> None:
    """Raise TooLong for a declared length that isn't even worth reading to its end."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if declared.isdigit() and int(declared) > PATIENCE * settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        raise TooLong


def _refusal(scope: dict[str, Any], refusal: BodyRefused) -> HttpResponse:
    """Say why, to a program as a problem, to people in a page: no middleware has seen this request."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Connection": "close"}
    headers |= {"Retry-After": "5"} if refusal.status == 503 else {}
    if str(scope["path"]).startswith("/api/"):
        members = {"type": f"urn:cortex:problem:{refusal.code}", "title": refusal.title,
                   "status": refusal.status, "code": refusal.code, "detail": refusal.detail}  # fmt: skip
        return HttpResponse(
            json.dumps(members),
            status=refusal.status,
            content_type="application/problem+json",
            headers=headers,
        )
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors 'none'"
    )
    if refusal.status != 413:
        words = f"{refusal.title}. {refusal.detail}\n"
        return HttpResponse(words, status=refusal.status, content_type="text/plain", headers=headers)
    text = render_to_string("413.html", {"most": settings.FILE_UPLOAD_MAX_MEMORY_SIZE // 2**20 - 2})
    return HttpResponse(text, status=413, headers=headers)
