"""Signing in, the cover and the end of an idle page, in a real Chromium under the strict policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections
from playwright.sync_api import Page, expect, sync_playwright

from cortex.accounts.models import Organization, Role, SessionState, User
from tests.browsers import chromium_program
from tests.unit.accounts.conftest import PASSWORD, PIN, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cleo(transactional_db: None) -> User:
    """Cleo the counselor, with a PIN."""
    connections.close_all()  # the driver's loop may hold one that the last test's flush cut off
    home = Organization.objects.create(name="Amani Service", slug="amani")
    return make_user(home, Role.COUNSELOR, "cleo", pin_hash=make_password(PIN))


@pytest.fixture
def page(live_server: Any) -> Iterator[Page]:
    """A page whose console errors fail the test at its end."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        opened = context.new_page()
        wrong: list[str] = []
        # Answers of 4xx are told by the browser too; here only scripts and the policy count.
        opened.on(
            "console", lambda m: m.type == "error" and "status of 4" not in m.text and wrong.append(m.text)
        )
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        browser.close()
        assert not wrong


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form."""
    page.goto("/accounts/login/?next=/me/")
    page.get_by_label("Work e-mail").fill("cleo@example.org")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_person_signs_in_and_out_and_the_wrong_password_is_told(page: Page, cleo: User) -> None:
    sign_in(page, "not the password at all")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    sign_in(page)
    expect(page).to_have_url(re.compile("/me/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.locator("summary.userbtn").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))


def as_desk(page: Page) -> None:
    """Let a page idle as one of the desk's does; this server has no sockets for a real one."""
    page.goto("/me/")
    page.evaluate("document.getElementById('cover').dataset.covers = 'yes'")


def test_an_idle_board_session_is_covered_and_opens_by_pin(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    as_desk(page)
    page.clock.fast_forward("16:00")
    cover = page.get_by_role("dialog", name="Covered")
    expect(cover).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Your account")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(cover).to_be_visible()
    cover.get_by_label("PIN").fill("000001")
    cover.get_by_role("button", name="Uncover").click()
    expect(cover.get_by_role("alert")).to_have_text("That PIN is not right.")
    cover.get_by_label("PIN").fill(PIN)
    cover.get_by_role("button", name="Uncover").click()
    expect(cover).to_be_hidden()
    expect(page.get_by_role("heading", level=1, name="Your account")).to_be_visible()
    assert SessionState.objects.get().locked_at is None


def test_a_covered_session_stays_covered_after_a_reload(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    as_desk(page)
    with page.expect_response(lambda answer: "cover" in answer.url and answer.request.method == "POST"):
        page.clock.fast_forward("16:00")
    expect(page.get_by_role("dialog", name="Covered")).to_be_visible()
    page.goto("/me/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Covered")
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Uncover").click()
    expect(page).to_have_url(re.compile("/me/$"))


def test_a_board_in_another_tab_keeps_the_session_covered(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    as_desk(page)
    other = page.context.new_page()
    other.goto("/me/")
    page.clock.fast_forward("16:00")
    for tab in (page, other):
        expect(tab.get_by_role("dialog", name="Covered")).to_be_visible()
    page.clock.run_for(4000)
    expect(other.get_by_role("dialog", name="Covered")).to_be_visible()
    for _ in range(200):  # the tab has said so; the server hears it a moment later
        if SessionState.objects.get().locked_at is not None:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the session is not covered")


def test_an_idle_page_warns_and_then_signs_out(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    page.goto("/me/")
    page.clock.fast_forward("13:30")
    expect(page.get_by_role("dialog", name="Are you still there?")).to_be_visible()
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_role("dialog", name="Are you still there?")).to_be_hidden()
    page.clock.fast_forward("16:00")
    page.clock.run_for(4000)
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert not SessionState.objects.exists()
