"""Gives the live tests people with sessions, a feed, a Redis to kill, and a server with real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.conf import settings as django_settings

from cortex.accounts.models import Organization, Role, User
from cortex.api import throttle
from cortex.live import hints, topics
from cortex.ops.embedded import superuser_address
from tests import makers, stores
from tests.cast import Cast
from tests.live.stage import EVENTS_TABLE, LiveServer, Page, PrivateRedis, TableSource, board


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/live/" in str(item.path):
            item.add_marker("live")


@dataclass
class Listener:
    """A signed-in member of staff."""

    user: User
    session_key: str

    @property
    def cookie(self) -> str:
        """The Cookie header of their browser."""
        return f"{django_settings.SESSION_COOKIE_NAME}={self.session_key}"


@pytest.fixture
def organization(transactional_db: None) -> UUID:
    """An organization."""
    with stores.role("cortex_system"):
        return Organization.objects.create(name="North desk", slug="north", **_required()).pk


def _required() -> dict[str, str]:
    return {}


@pytest.fixture
def sign_in(organization: UUID) -> Callable[..., Listener]:
    """Make a person with a session, as the sign-in page would leave it."""

    def make(email: str = "cleo@example.org", role: str = Role.COUNSELOR) -> Listener:
        with stores.role("cortex_system"):
            user = User.objects.filter(email=email).first() or User.objects.create_user(
                email, role=role, organization_id=organization, full_name="Cleo"
            )
            return listener(user)

    return make


def listener(user: User) -> Listener:
    """A person with a session, as the sign-in page would leave it."""
    return Listener(user, makers.session_of(user))


@pytest.fixture
def signed_in() -> Callable[[User], Listener]:
    """Sign somebody of the cast in."""
    return listener


@pytest.fixture
def desk(transactional_db: None, cast: Cast, redis_server: PrivateRedis) -> Iterator[LiveServer]:
    """A server with the real source of the board."""
    from cortex.asgi import application

    server = LiveServer(application)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cleo(sign_in: Callable[..., Listener]) -> Listener:
    """A counselor."""
    return sign_in()


@pytest.fixture
def source(organization: UUID, monkeypatch: pytest.MonkeyPatch) -> TableSource:
    """A source over a real table, in the place of the board's."""
    address = superuser_address(stores.DATA_DIR, "main", "cortex_test")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(EVENTS_TABLE)
    found = TableSource()
    monkeypatch.setitem(topics._sources, "board", found)
    return found


@pytest.fixture
def redis_server(tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateRedis]:
    """A Redis of the test's own; hints and hubs use it.

    Where two loaded cores run all of it, a sound one needs longer at times than the tenth of a second after
    which hints rest for five: a push would be missed that the test waits for.
    """
    for wait in ("LOCK_WAIT", "CONNECT_WAIT", "ANSWER_WAIT"):
        monkeypatch.setattr(hints, wait, 1.0)
    server = PrivateRedis(tmp_path)
    server.start()
    settings.REDIS_URL = server.url  # type: ignore[attr-defined]
    forget_connections()
    yield server
    server.kill()
    forget_connections()


def forget_connections() -> None:
    """Connect anew at the next use: this process keeps connections to the Redis that it first met."""
    hints.reset()
    throttle.client.cache_clear()


@pytest.fixture
def serve(source: TableSource, redis_server: PrivateRedis) -> Iterator[Callable[..., LiveServer]]:
    """Start servers as other processes would run: each has a loop and a hub of its own."""
    from cortex.asgi import application

    started: list[LiveServer] = []

    def start(app: object = application, **options: object) -> LiveServer:
        server = LiveServer(app, **options)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(serve: Callable[..., LiveServer]) -> LiveServer:
    """One server."""
    return serve()


@pytest.fixture
def page(server: LiveServer, cleo: Listener, organization: UUID) -> Callable[..., Page]:
    """Make pages of the counselor."""

    def make(last: int | None = 0, **given: object) -> Page:
        on = given.get("server", server)
        who = given.get("who", cleo)
        return Page(on, who.cookie, board(organization), last)  # type: ignore[arg-type, attr-defined]

    return make
