"""Second factors in a real Chromium: a security key (its virtual authenticator), an app, recovery codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from cortex.accounts.models import Organization, Role, User
from tests.browser.conftest import run_axe
from tests.browsers import chromium_program
from tests.unit.accounts.conftest import PASSWORD, PIN, make_user
from tests.unit.accounts.factors import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cleo(transactional_db: None) -> User:
    """Cleo the counselor, whose service asks for a second factor."""
    connections.close_all()  # the driver's loop may hold one that the last test's flush cut off
    rule = {"mfa_required_roles": ["counselor"]}
    home = Organization.objects.create(name="Amani Service", slug="amani", settings=rule)
    return make_user(home, Role.COUNSELOR, "cleo", pin_hash=make_password(PIN))


@pytest.fixture
def page(live_server: Any) -> Iterator[Page]:
    """A page at 390 pixels whose console errors fail the test at its end."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
        opened = context.new_page()
        wrong: list[str] = []
        opened.on(
            "console", lambda m: m.type == "error" and "status of 4" not in m.text and wrong.append(m.text)
        )
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        browser.close()
        assert not wrong


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """Plug a security key in, whose owner touches it at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, added["authenticatorId"]


def sign_in(page: Page) -> None:
    """Fill in the form."""
    page.goto("/accounts/login/?next=/me/")
    page.get_by_label("Work e-mail").fill("cleo@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def faults(page: Page, *themes: str) -> list[Any]:
    """What axe finds in these themes (dark), and whether something sticks out sideways."""
    found: list[Any] = []
    for theme in themes or ("dark",):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found += run_axe(page)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("sticks out")
    return found


def test_a_security_key_is_set_up_and_signs_in_and_another_one_does_not(page: Page, cleo: User) -> None:
    devtools, authenticator = plug_in(page)
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    assert faults(page) == []
    page.get_by_role("link", name=re.compile("Security key")).click()
    page.get_by_label("Name").fill("Blue key")
    assert faults(page) == []
    page.get_by_role("button", name="Set up key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    codes = page.get_by_label("Your recovery codes").input_value().split()
    assert len(codes) == 10 and faults(page) == []
    page.goto("/me/")
    expect(page.locator("#factors")).to_contain_text("Blue key")
    assert faults(page) == []
    page.context.clear_cookies()
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second step")
    assert faults(page, "light", "dark") == []
    page.get_by_role("button", name="Use security key").click()
    expect(page).to_have_url(re.compile("/me/$"))
    expect(page.locator("#factors")).to_contain_text("last used")
    # A key that was never set up signs with another secret: the browser finds none that it may ask.
    page.context.clear_cookies()
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    sign_in(page)
    page.get_by_role("button", name="Use security key").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing came from the key")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/me/$"))


def test_an_app_is_set_up_by_its_picture_and_signs_in(page: Page, cleo: User) -> None:
    sign_in(page)
    page.get_by_role("link", name=re.compile("Authenticator app")).click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    assert faults(page) == []
    secret = page.locator("[data-secret]").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill("000000")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    assert page.locator("[data-secret]").inner_text().replace(" ", "") == secret, "the same secret goes on"
    page.get_by_label("Code that the app shows").fill(code_of(secret, -1))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    page.get_by_role("link", name="I have kept them, go on").click()
    page.context.clear_cookies()
    sign_in(page)
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/me/$"))
