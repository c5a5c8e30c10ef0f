"""One socket's way out: sends that never wait for a stalled reader, and closes that always end."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from typing import Any

from cortex.live import wire

# A reader that takes nothing for this long is dropped; it comes back and replays what it missed.
STALL = 5.0
# Time for a close frame to leave through a full buffer before the connection is cut.
CLOSE_WAIT = 2.0
LINGER = 12.0


class Frame(dict[str, Any]):
    """The ASGI message for a text, and the same as the bytes that go over the wire."""

    __slots__ = ("bytes",)

    def __init__(self, text: str) -> None:
        super().__init__(type="websocket.send", text=text)
        self.bytes = wire.framed(text)


class Sent(enum.Enum):
    """What became of an offered frame."""

    DONE = 1
    FULL = 2
    GONE = 3


class Stalled(Exception):
    """The reader took nothing for STALL seconds."""


class Gone(Exception):
    """The socket is closed."""


def text_frame(text: str) -> Frame:
    """Return the frame of a text; the same one may be sent to any number of sockets."""
    return Frame(text)


class Link:
    """Wraps the server's `send`."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._send: Callable[[dict[str, Any]], Any] = send
        self._connection = wire.connection_of(send)
        # uvicorn has no public way to cut a connection whose peer reads nothing; a close would wait for ever.
        self._transport = getattr(getattr(send, "__self__", None), "transport", None)
        self.is_open = True

    def offer(self, frame: Frame) -> Sent:
        """Send at once or not at all, without waiting.

        Writes the ready bytes where the server lets us and has room. Elsewhere, and to learn what is wrong,
        it steps the server's coroutine a single time: uvicorn waits for room before it writes, so a step that
        does not end has sent nothing. (A server that always suspends gets every frame through `deliver`.)
        """
        if not self.is_open:
            return Sent.GONE
        if self._connection is not None and wire.is_ready(self._connection):
            self._connection.transport.write(frame.bytes)
            return Sent.DONE
        step = self._send(frame)
        try:
            step.send(None)
        except StopIteration:
            return Sent.DONE
        except (OSError, RuntimeError):
            self.is_open = False
            return Sent.GONE
        step.close()
        return Sent.FULL

    async def deliver(self, frame: Frame) -> None:
        """Send, waiting up to STALL seconds for room; raises Stalled or Gone."""
        outcome = self.offer(frame)
        if outcome is Sent.FULL:
            outcome = await self._wait_and_send(frame)
        if outcome is Sent.GONE:
            raise Gone

    async def _wait_and_send(self, frame: Frame) -> Sent:
        try:
            async with asyncio.timeout(STALL):
                await self._send(frame)
        except TimeoutError as error:
            raise Stalled from error
        except (OSError, RuntimeError):
            self.is_open = False
            return Sent.GONE
        return Sent.DONE

    async def close(self, code: int) -> None:
        """Close with a code; cut the connection when the reader does not let even that through."""
        if not self.is_open:
            return
        self.is_open = False
        try:
            async with asyncio.timeout(CLOSE_WAIT):
                await self._send({"type": "websocket.close", "code": code})
        except TimeoutError:
            self.cut()
        except (OSError, RuntimeError):
            return
        else:
            # The peer may have died: its answer to the close, or the rest of the buffer, would never come.
            asyncio.get_running_loop().call_later(LINGER, self.cut)

    def cut(self) -> None:
        """End the connection without a word."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()
