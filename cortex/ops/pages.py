"""Pages under an asynchronous server: each request runs whole in one thread, as under a synchronous one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connections
from django.http import HttpRequest
from django.urls import set_script_prefix

# Made as they are needed. As many as may wait for a database that stands still before `/healthz` waits, too;
# how many work with the database at once its pool decides.
THREADS = 64


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
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            work = copy_context().run
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, work, self._answer, scope, body)
        await self.send_response(response, send)

    def _answer(self, scope: dict[str, Any], body: Any) -> Any:
        """Answer a request from its first signal to its last; its connections go back before bytes leave."""
        try:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=self.__class__, scope=scope)
            request, refusal = self.create_request(scope, body)
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
