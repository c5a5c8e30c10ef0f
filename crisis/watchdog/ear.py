"""The watchdog's own board: a real WebSocket at the public address, opened with a real session."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from websockets import Origin
from websockets.sync.client import ClientConnection, connect

PATH = "/ws/live/"
OPEN_SECONDS = 5.0
# How long one wait lasts before it is asked whether to go on.
BREATH = 0.2


class NotWelcome(Exception):
    """The server took the socket and gave it no place on the board."""


class Ear:
    """One socket that hears one board."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    def open(cls, base: str, *, origin: str, cookie: str, topic: str) -> Self:
        """Open a socket as a page of `origin` does and join a board; return after the welcome.

        Raise whatever the network raises, or NotWelcome when the board doesn't open within five seconds.
        """
        parts = urlsplit(base)
        scheme = {"http": "ws", "https": "wss"}[parts.scheme]
        socket = connect(
            f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{PATH}",
            origin=Origin(origin),
            additional_headers={"Cookie": cookie},
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1.0,
        )
        ear = cls(socket)
        try:
            socket.send(json.dumps({"type": "join", "topics": {topic: None}}))
            ear._wait_for_welcome(time.monotonic() + OPEN_SECONDS)
        except BaseException:
            socket.close()
            raise
        return ear

    def _wait_for_welcome(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            kind = self._next(left).get("type")
            if kind == "welcome":
                return
            if kind == "gone":
                break
        raise NotWelcome

    def hears(self, alert_id: UUID, *, until: float, goes_on: Callable[[], bool]) -> float | None:
        """Return the (monotonic) moment at which an event about an alert arrived; None when none came."""
        wanted = str(alert_id)
        while goes_on() and (left := until - time.monotonic()) > 0:
            message = self._next(min(left, BREATH))
            if message.get("type") == "event" and message.get("alert") == wanted:
                return time.monotonic()
        return None

    def _next(self, seconds: float) -> dict[str, Any]:
        """Return the next message, or an empty one when nothing came for so long."""
        try:
            message = json.loads(self.socket.recv(timeout=seconds))
        except TimeoutError:
            return {}
        return message if isinstance(message, dict) else {}

    def close(self) -> None:
        """Leave, as a page that is closed."""
        self.socket.close()


def origin_of(url: str) -> str:
    """Return the origin of a page at this address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
