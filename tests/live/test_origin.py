"""Which pages may open a socket."""

from __future__ import annotations

from typing import Any

import pytest

from cortex.live.origin import OriginCheck, is_allowed

HOST = "board.example.org"

TABLE = [
    ("https://board.example.org", HOST, True),
    ("https://board.example.org:443", HOST, True),
    ("https://BOARD.example.org", HOST, True),
    ("https://board.example.org:8443", "board.example.org:8443", True),
    (None, HOST, False),
    ("", HOST, False),
    ("null", HOST, False),
    ("https://evil.example", HOST, False),
    ("https://board.example.org.evil.example", HOST, False),
    ("https://evil.example#board.example.org", HOST, False),
    ("https://evil.example/board.example.org", HOST, False),
    ("https://board.example.org@evil.example", HOST, False),
    ("https://user@board.example.org", HOST, False),
    ("https://sub.board.example.org", HOST, False),
    ("https://board.example.org:8443", HOST, False),
    ("https://board.example.org", "board.example.org:8443", False),
    ("http://board.example.org", HOST, False),
    ("http://board.example.org:443", HOST, False),
    ("ftp://board.example.org", HOST, False),
    ("file://", HOST, False),
    ("board.example.org", HOST, False),
    ("https://board.example.org/", HOST, False),
    ("https://board.example.org:99999", HOST, False),
    ("https://[::1", HOST, False),
    ("https://evil.example", "evil.example", False),
    ("https://board.example.org", None, False),
]


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [HOST]
    settings.CSRF_TRUSTED_ORIGINS = []
    settings.SESSION_COOKIE_SECURE = True
    settings.DEBUG = False


@pytest.mark.parametrize(("origin", "host", "allowed"), TABLE)
def test_only_our_own_origin_passes(origin: str | None, host: str | None, allowed: bool) -> None:
    assert is_allowed(origin, host, secure=True) is allowed
    assert is_allowed(origin, host, secure=False) is allowed


def test_a_star_in_the_allowed_hosts_opens_nothing(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert not is_allowed("https://evil.example", "evil.example", secure=True)


def test_without_a_secure_cookie_plain_http_is_the_site(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = False
    assert is_allowed("http://board.example.org", HOST, secure=False)
    assert not is_allowed("https://board.example.org", HOST, secure=False)
    assert not is_allowed("http://board.example.org", HOST, secure=True)


def test_a_trusted_origin_passes_as_it_stands(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example.net", "https://*.example.com"]
    assert is_allowed("https://desk.example.net", HOST, secure=True)
    assert not is_allowed("https://a.example.com", HOST, secure=True)
    assert not is_allowed("https://desk.example.net:8443", HOST, secure=True)


async def test_two_origin_headers_are_refused_before_the_socket_is_accepted() -> None:
    sent: list[dict[str, Any]] = []

    async def app(*_: Any) -> None:
        raise AssertionError("must not be reached")

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    ours = (b"origin", b"https://board.example.org")
    headers = [(b"host", HOST.encode()), ours, (b"origin", b"https://evil.example")]
    await OriginCheck(app)({"type": "websocket", "headers": headers}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 4403}]
