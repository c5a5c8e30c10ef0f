"""A real server in its own process, a real Chromium, and people who sign in through the page."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from cortex.accounts.models import User
from tests import cast as players
from tests import makers, stores
from tests.browsers import chromium_program
from tests.stores import free_port

LONGEST = 150.0  # seconds that a test with its browser may take
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = (Path(__file__).parent / "vendor/axe-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The rules that colours decide: all that a second theme can break.
COLOURS = ["color-contrast", "link-in-text-block"]
# Playwright's own five seconds are little where two loaded cores run the server and the browser.
expect.set_options(timeout=20_000)
RUN_AXE = (
    "axe.run(document, {preload: false, resultTypes: ['violations'], runOnly: %s}).then((r) => "
    "JSON.stringify(r.violations.map((v) => [v.id, ...v.nodes.slice(0, 3).map((n) => n.target.join(' '))])))"
)
# What a refused claim and a refused form say on the console is the browser's own line, not a fault.
EXPECTED = ("409 (Conflict)", "422 (Unprocessable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker("browser")


def run_axe(page: Page, only: list[str] | None = None) -> list[Any]:
    """Return what axe finds on a page as it stands, by all our rules or these."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": f"if (!window.axe) {{ {AXE} }};0"})
    wanted: Any = {"type": "rule", "values": only} if only else RULES
    run = {"expression": RUN_AXE % json.dumps(wanted), "awaitPromise": True}
    answer = session.send("Runtime.evaluate", run)
    found: list[Any] = json.loads(answer["result"]["value"])
    return found


@dataclass
class Visitor:
    """One person at one browser: the page they look at, and what its console complained about."""

    origin: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the server."""
        self.page.goto(self.origin + path)
        return self.page

    def sign_in(self, user: User, typed_at: datetime | None = None) -> Page:
        """Go to somebody's first page as if the password had just been typed (`test_signin.py` types it)."""
        cookie = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": makers.session_of(user, typed_at),
            "url": self.origin,
        }
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.open("/")
        shown = self.page.get_attribute("body", "data-me")
        assert shown in (str(user.pk), None), "somebody else is signed in"  # the back office has no data-me
        return self.page

    def sign_in_beside(self, user: User) -> None:
        """Sign in again in a second tab, the password typed, while the page stays as it is."""
        tab = self.context.new_page()
        tab.goto(f"{self.origin}/accounts/login/")
        tab.get_by_label("E-mail").fill(user.email)
        tab.get_by_label("Password", exact=True).fill(makers.PASSWORD)
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url(lambda url: "/accounts/" not in url)
        tab.close()

    def tab_to(self, target: Locator, most: int = 150) -> Locator:
        """Press Tab until a control has the focus, as somebody without a mouse would, and return it."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if target.evaluate("(one) => one === document.activeElement"):
                assert target.evaluate("(one) => one.matches(':focus-visible')")
                return target
        raise AssertionError(f"no Tab reaches {target}")

    def axe(self, only: list[str] | None = None) -> list[Any]:
        """Return what axe finds on the page as it stands: WCAG 2.2 AA and best practice, or these rules."""
        return run_axe(self.page, only)

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    def faults(self) -> dict[str, Any]:
        """Return what axe finds in both themes, and by how much the page is too wide; else nothing."""
        found: dict[str, Any] = {}
        self.page.emulate_media(color_scheme="dark")
        found["dark"] = self.axe(COLOURS)
        self.page.emulate_media(color_scheme="light")
        found["light"] = self.axe()
        found["wider"] = self.overflow()
        return {name: wrong for name, wrong in found.items() if wrong}

    def faults_of_both(self) -> dict[int, Any]:
        """Return what is wrong in both themes, on a desk and then made narrow as it stands; else nothing."""
        found: dict[int, Any] = {}
        for width in (1440, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            found[width] = self.faults()
        return {width: wrong for width, wrong in found.items() if wrong}


class Server:
    """uvicorn with pages and sockets on this run's databases, in a process of its own."""

    def __init__(self, preloaded: subprocess.Popen[str]) -> None:
        self.preloaded = preloaded
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.process: psutil.Process | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        asked, answers = self.preloaded.stdin, self.preloaded.stdout
        assert asked is not None and answers is not None
        print(self.port, file=asked, flush=True)
        self.process = psutil.Process(int(answers.readline()))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.is_running():
            try:
                urlopen(f"{self.origin}/healthz", timeout=2)  # noqa: S310 - our own address
                return
            except (URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError("the server ended, or did not answer within 30 s")

    def stop(self) -> None:
        """Stop at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@pytest.fixture(scope="session")
def collected(child_environment: dict[str, str]) -> None:
    """Write the static files with their hashed names."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, env=child_environment, cwd=stores.ROOT, check=True)


@pytest.fixture(scope="session")
def preloaded(collected: None, child_environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The process whose forks serve."""
    command = [sys.executable, "-m", "tests.browser.preloaded"]
    environment = child_environment | {"CORTEX_DB_ROLE": "app"}
    with subprocess.Popen(
        command, env=environment, cwd=stores.ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def server(transactional_db: None, preloaded: subprocess.Popen[str]) -> Iterator[Server]:
    """A running server."""
    running = Server(preloaded)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[[], Browser]]:
    """The system's Chromium, else Playwright's; without one the run fails, it is never skipped.

    A file's tests share one, each in contexts of its own; one that was ended is started anew.
    """
    connections.close_all()  # below the driver's loop nobody reaches these, and the clean-up ends them
    with sync_playwright() as playwright:
        running: list[Browser] = []

        def find() -> Browser:
            if not running or not running[-1].is_connected():
                program = chromium_program()
                running.append(playwright.chromium.launch(executable_path=program, args=FLAGS))
            return running[-1]

        yield find
        for browser in running[-1:]:
            with suppress(PlaywrightError):
                browser.close()


@pytest.fixture
def chromium(browsers: Callable[[], Browser]) -> Iterator[Browser]:
    """A running Chromium; a test that takes too long loses it, and fails."""
    # Some calls of Playwright have no limit: one was seen to wait for ever on a page that was leaving.
    watch = threading.Timer(LONGEST, _kill_browsers)
    watch.start()
    yield browsers()
    watch.cancel()


def _kill_browsers() -> None:
    """End this process's browsers, so that whatever waits for one fails instead."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "chrom" in child.name():
                child.kill()


@pytest.fixture
def people(transactional_db: None, chromium: Browser) -> players.Cast:
    """The cast, committed, so that the server's process sees them."""
    connections.close_all()  # the driver's loop may hold one that the last test's flush cut off
    return players.make_cast()


@pytest.fixture
def visit(server: Server, chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Open a fresh browser, as in `visit(width=390, scheme="dark")`; a complaining console fails the test."""
    visitors: list[Visitor] = []

    def make(width: int = 1440, scheme: str = "light", scripts: bool = True) -> Visitor:
        small = width < 700
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            has_touch=small,
            is_mobile=small,
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        visitor = Visitor(server.origin, context, context.new_page())
        visitor.page.on("console", lambda m: _note(visitor, m.type, m.text))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(error.message))
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        with suppress(PlaywrightError):  # a browser that was ended has nothing to close
            visitor.context.close()
    assert [visitor.complaints for visitor in visitors if visitor.complaints] == []


def _note(visitor: Visitor, kind: str, text: str) -> None:
    if kind in ("error", "warning") and not any(part in text for part in EXPECTED):
        visitor.complaints.append(text)
