"""How soon the largest thing on a page is painted, in a headless Chromium with an empty cache."""

from __future__ import annotations

import statistics
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browsers import chromium_program

TRIES = 9
# Milliseconds, of the middle one of the tries.
AIM = 1000.0
SIGN_IN = "sign-in"
PAINT = """new Promise((done) => document.fonts.ready.then(() =>
  requestAnimationFrame(() => requestAnimationFrame(() => {
    new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
      .observe({ type: 'largest-contentful-paint', buffered: true }); }))))"""


def paints(port: int, cookie: str, pages: dict[str, str]) -> list[dict[str, Any]]:
    """Return each page's largest paint in ms from the request on, and how often that of signing in it is."""
    origin = f"http://localhost:{port}"
    found: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        least = None
        for name, path in {SIGN_IN: "/accounts/login/", **pages}.items():
            times = []
            for _ in range(TRIES):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                if name != SIGN_IN:
                    context.add_cookies([{"name": "sessionid", "value": cookie, "url": origin}])
                page = context.new_page()
                page.goto(origin + path)
                times.append(page.evaluate(PAINT))
                context.close()
            middle = round(statistics.median(times), 1)
            least = least or middle
            one = {"page": name, "paint_ms": middle, "of_sign_in": round(middle / least, 2), "aim": AIM,
                   "met": middle <= AIM}  # fmt: skip
            print(f"{name:<22} painted after {middle} ms, {one['of_sign_in']} times the page of signing in")
            found.append(one)
        browser.close()
    return found
