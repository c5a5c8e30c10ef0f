"""The short way out through uvicorn: a frame that is made once is written to each connection as it stands.

The long way (an ASGI message through the server's `send`) makes every frame anew for every socket. What the
short way asks of the connection is what that `send` asks of it; a server that it doesn't know has none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

# uvicorn's choice where `websockets` is installed. By name: pages served by another server import neither.
KNOWN = "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol"
WHOLE_TEXT = 0x81
OPEN = 1


def framed(text: str) -> bytes:
    """Return the bytes of one unmasked, uncompressed text frame (RFC 6455, 5.2)."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((WHOLE_TEXT, size)) + data
    if size < 65536:
        return struct.pack("!BBH", WHOLE_TEXT, 126, size) + data
    return struct.pack("!BBQ", WHOLE_TEXT, 127, size) + data


def connection_of(send: Callable[..., Any]) -> Any:
    """Return the connection behind an ASGI `send` if ready frames may be written to it, else None."""
    owner: Any = getattr(send, "__self__", None)
    kind = type(owner)
    if f"{kind.__module__}.{kind.__qualname__}" != KNOWN or owner.conn.extensions:
        # An extension, as compression, changes the bytes of a frame.
        return None
    return owner


def is_ready(connection: Any) -> bool:
    """Say whether a frame may be written now: shaken hands, not closing, and room in the buffer."""
    return bool(
        connection.handshake_complete
        and connection.writable.is_set()
        and not connection.disconnected
        and not connection.close_sent
        and connection.initial_response is None
        and connection.conn.state == OPEN
        and not connection.transport.is_closing()
    )
