"""Pages under an asynchronous server: each request runs whole in one thread, as under a synchronous one."""

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


class TooLong(Exception):
    """A body that nobody takes, whatever length it declared."""


class Pages(ASGIHandler):
    """Django's handler with its middleware in synchronous form, since ours all are.

    Its own would make a thread for each request, and hop between it and the event loop for each middleware of
    the other kind. No answer of ours is a stream, so the request ends in its thread, too.
    """

    def __init__(self) -> None:
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request; an answer to somebody who has left goes nowhere."""
        try:
            _refuse_declared(scope)
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except TooLong:
            await self.send_response(_too_long(scope), send)
            return
        with body:
            work = copy_context().run
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, work, self._answer, scope, body)
        await self.send_response(response, send)

    async def read_body(self, body_receive: Callable[[], Awaitable[Any]]) -> BytesIO:  # type: ignore[override]
        """Read a body into memory, where it stays; raise TooLong for more than the settings allow."""
        most, length, body = settings.FILE_UPLOAD_MAX_MEMORY_SIZE, 0, BytesIO()
        while True:
            message = await body_receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted()
            part = message.get("body", b"")
            length += len(part)
            if length <= most:
                body.write(part)
            elif length > PATIENCE * most:
                raise TooLong
            else:
                body.seek(0)
                body.truncate()
            if not message.get("more_body", False):
                break
        if length > most:
            raise TooLong
        body.seek(0)
        return body

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


def _too_long(scope: dict[str, Any]) -> HttpResponse:
    """Say 413, to a program as a problem, to people in a page: no middleware has seen this request."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Connection": "close"}
    if str(scope["path"]).startswith("/api/"):
        members = {"type": "urn:cortex:problem:too_large", "title": "Too large", "status": 413,
                   "code": "too_large", "detail": "Send less at once."}  # fmt: skip
        return HttpResponse(
            json.dumps(members), status=413, content_type="application/problem+json", headers=headers
        )
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors 'none'"
    text = render_to_string("413.html", {"most": settings.FILE_UPLOAD_MAX_MEMORY_SIZE // 2**20 - 2})
    return HttpResponse(text, status=413, headers=headers | {"Content-Security-Policy": policy})
