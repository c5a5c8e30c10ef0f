"""The few threads in which the hub asks the database; the event loop itself never does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from cortex.ops.postgres.base import answers_by

P = ParamSpec("P")
R = TypeVar("R")

# Each thread holds at most one database connection, and only while it works. They are nine: the process's
# pool must hold more. Joins, leavings and refusals share the first lane.
_threads = ThreadPoolExecutor(max_workers=3, thread_name_prefix="live")
# News must not queue behind what people say that they saw, nor behind a storm of joins.
_reads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live-read")
_tells = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live-tell")
# Neither must the checks that keep the sockets honest.
_checks = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live-check")

ANSWER_WAIT = 10.0


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that may use the database; raises TimeoutError when it takes more than 10 s."""
    return await _run(_threads, partial(function, *args, **kwargs))


async def read_in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for reading what is to be sent."""
    return await _run(_reads, partial(function, *args, **kwargs))


async def tell_in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for writing down what people saw."""
    return await _run(_tells, partial(function, *args, **kwargs))


async def check_in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for the hub's own regular checks, on threads that nothing else uses."""
    return await _run(_checks, partial(function, *args, **kwargs))


async def _run(threads: ThreadPoolExecutor, call: Callable[[], R]) -> R:
    async with asyncio.timeout(ANSWER_WAIT):
        return await asyncio.get_running_loop().run_in_executor(threads, _with_connections, call)


def _with_connections(call: Callable[[], R]) -> R:
    # Nobody waits for it longer than that; a thread that did would be missing.
    with answers_by(ANSWER_WAIT):
        close_old_connections()
        try:
            return call()
        finally:
            close_old_connections()
