"""Starts the real PostgreSQL and Redis for the run, gives each test a clean database, and roles."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from tests import edges, stores

pytest_plugins: list[str] = ["tests.budget", "tests.scopes", "tests.cast", "tests.kms"]


def pytest_configure(config: pytest.Config) -> None:
    """Start the stores before Django opens a connection."""
    gc.set_threshold(50_000, 20, 100)  # fewer rounds of the collector, some percent of the run
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    if not os.environ.get("CORTEX_EXPLORE"):
        # The same examples in each run: one that no change of ours brought about must not stop a landing.
        settings.register_profile("steady", derandomize=True, database=None)
        settings.load_profile("steady")
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return  # it only hands the tests out
    stores.start()
    config.add_cleanup(stores.stop)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: object) -> None:
    """Build the migrated templates when migrations changed, then the run's own databases from them."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        stores.build_databases()
    from tests import kept_checks, scopes

    scopes.install()
    kept_checks.install()


# Handed out first what takes longest, so that all processes end together; a file stays with one of them.
LONGEST_FIRST = ("test_urls", "faults", "browser", "test_query_counts", "live", "api")


def _place(item: pytest.Item) -> int:
    inside = str(item.path.relative_to(stores.ROOT / "tests"))
    return next((n for n, name in enumerate(LONGEST_FIRST) if inside.startswith(name)), len(LONGEST_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every database test both aliases, and put the longest files first."""
    items.sort(key=_place)
    for item in items:
        names = getattr(item, "fixturenames", ())
        marker = item.get_closest_marker("django_db")
        if marker is not None:
            marker.kwargs.setdefault("databases", ["default", "keys"])  # type: ignore[attr-defined]
        elif "db" in names or "transactional_db" in names:
            transaction = "transactional_db" in names
            item.add_marker(pytest.mark.django_db(transaction=transaction, databases=["default", "keys"]))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let each test begin and end on one day, before its transaction begins."""
    is_unit = item.path.is_relative_to(stores.ROOT / "tests" / "unit")
    edges.begin_in_a_day(edges.LONGEST if is_unit else edges.LONGEST_WALK)


@pytest.fixture(autouse=True)
def steady_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the session's limits, and the time, not anew each minute in which statements may be counted."""
    from cortex import clock
    from cortex.accounts.sessions import clocks

    # The stores run on this machine: its clock is theirs.
    monkeypatch.setattr(clock, "_asked", (datetime.now(UTC), time.monotonic()))
    monkeypatch.setattr(clock, "ASKED_EVERY", float("inf"))

    monkeypatch.setattr(clocks, "REREAD_SECONDS", float("inf"))


@pytest.fixture(autouse=True)
def forgotten_key() -> None:
    """Begin without the house's own opened key: it is held a minute, and the last test took its row back."""
    from cortex.accounts.factors.adapter import SUBJECT
    from cortex.keys.cache import cache

    cache.forget([SUBJECT])


@pytest.fixture
def as_system(db: None) -> Iterator[None]:
    """Run as the sweeper's, builder's and retention's role for this test."""
    with stores.role("cortex_system"):
        yield


@pytest.fixture
def as_owner(db: None) -> Iterator[None]:
    """Run as the role that migrates and owns the tables."""
    with stores.role("cortex_owner"):
        yield


@pytest.fixture(scope="session")
def child_environment() -> dict[str, str]:
    """The environment of a real child process that works on this run's databases with the real roles."""
    return stores.child_environment()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass by what stands until the end: thousands of tests, and all that they import."""
    gc.collect()
    gc.freeze()
