"""Signing in, the cover and the end of an idle page, in a real Chromium under the strict policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.models import F
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


def sign_in(page: Page, password: str = PASSWORD, path: str = "/accounts/login/?next=/me/") -> None:
    """Fill in the form."""
    page.goto(path)
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


def sign_in_beside(page: Page) -> None:
    """End the session, and begin another one in a second tab, while the page stays as it is."""
    Session.objects.all().delete()
    tab = page.context.new_page()
    sign_in(tab)
    expect(tab).to_have_url(re.compile("/me/$"))
    tab.close()


@pytest.mark.parametrize("idles", [False, True], ids=["ended elsewhere", "idle"])
def test_what_is_typed_outlives_its_session_and_is_sent_in_the_next_one(
    page: Page, cleo: User, idles: bool
) -> None:
    page.clock.install()
    sign_in(page)
    page.goto("/me/")
    name = page.get_by_label("Name", exact=True)
    name.fill("Cleo Amani")
    if idles:
        page.clock.fast_forward("16:00")
        page.clock.run_for(5000)
    else:
        Session.objects.all().delete()
        name.press("Enter")
    gone = page.get_by_role("dialog", name="You are signed out")
    expect(gone).to_be_visible()
    expect(name).to_be_hidden()
    sign_in_beside(page)
    gone.get_by_role("button", name="I signed in, go on").click()
    expect(gone).to_be_hidden()
    page.clock.run_for(5000)
    expect(name).to_be_focused()
    expect(name).to_have_value("Cleo Amani")
    name.press("Enter")
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Your name is saved.")
    cleo.refresh_from_db()
    assert cleo.full_name == "Cleo Amani"


def test_a_page_without_words_leads_to_the_sign_in_and_back(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    page.goto("/me/?a=1&b=2")
    page.clock.fast_forward("02:00")
    Session.objects.all().delete()
    page.keyboard.press("Tab")
    page.clock.run_for(2000)
    expect(page).to_have_url(re.compile("/accounts/login/"))
    sign_in(page, path=page.url)
    expect(page).to_have_url(re.compile(r"/me/\?a=1&b=2$"))


def test_a_page_of_the_session_before_sends_and_uncovers_in_the_new_one(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    as_desk(page)
    sign_in_beside(page)
    with page.expect_response(lambda answer: answer.url.endswith("/theme") and answer.ok):
        page.get_by_role("button", name="Switch to dark theme").click()
    with page.expect_response(lambda answer: answer.url.endswith("/accounts/cover") and answer.ok):
        page.clock.fast_forward("16:00")
    cover = page.get_by_role("dialog", name="Covered")
    cover.get_by_label("PIN").fill(PIN)
    sign_in_beside(page)
    cover.get_by_role("button", name="Uncover").click()
    expect(cover).to_be_hidden()
    cleo.refresh_from_db()
    assert cleo.theme == "dark"


def test_the_last_wrong_pin_uncovers_no_tab_and_no_answer_is_no_wrong_pin(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    as_desk(page)
    other = page.context.new_page()
    other.goto("/me/")
    with page.expect_response(lambda answer: answer.url.endswith("/accounts/cover")):
        page.clock.fast_forward("16:00")
    SessionState.objects.update(pin_failures=4)
    cover = page.get_by_role("dialog", name="Covered")
    cover.get_by_label("PIN").fill("000001")
    page.route("**/accounts/unlock", lambda route: route.fulfill(status=429))
    cover.get_by_role("button", name="Uncover").click()
    expect(cover.get_by_role("alert")).to_have_text("The server did not answer. Try again.")
    page.unroute("**/accounts/unlock")
    cover.get_by_label("PIN").fill("000001")
    cover.get_by_role("button", name="Uncover").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(other.get_by_role("dialog", name="Covered")).to_be_visible()


def test_the_warning_counts_from_what_the_server_noted(page: Page, cleo: User) -> None:
    page.clock.install()
    sign_in(page)
    SessionState.objects.update(last_input_at=F("last_input_at") - timedelta(seconds=50))
    page.goto("/me/")  # the server notes input once a minute: not this page
    page.clock.fast_forward("12:15")
    expect(page.get_by_role("dialog", name="Are you still there?")).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith("/accounts/active")):
        page.get_by_role("button", name="I am here").click()
    page.clock.run_for(30_000)
    page.keyboard.press("Shift")
    with page.expect_response(lambda answer: answer.url.endswith("/accounts/active")):
        page.clock.run_for(35_000)  # the server hears of it although no other key comes
