"""Refuses sockets that another site opened, at the handshake; also keeps a way to cut a dead connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from cortex.live import metrics
from cortex.live.link import Link

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


class OriginCheck:
    """The outermost layer of the websocket side: same scheme, host and port as the site, or 403."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a socket of our own pages on, deny every other before it is accepted."""
        origin, host = _header(scope, b"origin"), _header(scope, b"host")
        if not is_allowed(origin, host, secure=scope.get("scheme") == "wss"):
            metrics.REFUSED.labels("origin").inc()
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.app({**scope, "live_link": Link(send)}, receive, send)


def is_allowed(origin: str | None, host: str | None, *, secure: bool) -> bool:
    """Say whether a page of `origin` may open a socket on `host`; absent and null never may.

    An origin listed in CSRF_TRUSTED_ORIGINS passes as it stands (no wildcard is understood). Otherwise it
    must be the very host and port that the request names, that host must be one of ALLOWED_HOSTS (a `*` there
    counts for nothing), and the scheme must be https exactly where the session cookie is secure.
    """
    if not origin or not host:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    page = _place(origin)
    scheme = "https" if secure or settings.SESSION_COOKIE_SECURE else "http"
    if page is None or page[0] != scheme:
        return False
    site = _place(f"{page[0]}://{host}")
    return site == page and validate_host(page[1], _hosts())


def _hosts() -> list[str]:
    hosts = [host for host in settings.ALLOWED_HOSTS if host != "*"]
    return hosts if hosts or not settings.DEBUG else LOCAL_HOSTS


def _place(url: str) -> tuple[str, str, int] | None:
    """Return (scheme, host, port) of a bare http(s) origin; None for anything more or less than that."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    bare = f"{parts.scheme}://{parts.netloc}".lower() == url.lower() and "@" not in parts.netloc
    if not bare or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port or DEFAULT_PORTS[parts.scheme]


def _header(scope: Scope, name: bytes) -> str | None:
    """Return the only value of a header; None when it is absent or given twice."""
    values = [value for key, value in scope.get("headers", ()) if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None
