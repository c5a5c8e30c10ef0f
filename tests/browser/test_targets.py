"""On a phone each control of the therapist's room is large enough for a thumb: 44 px (WCAG 2.5.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.test_board import Visit
from tests.browser.test_chart import lived_in
from tests.cast import Cast

LEAST = 44
# Every control that shows, by what can be hit of it: a box with its label, a link that isn't one of a text.
SMALL = """(least) => {
  const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]';
  const hit = (one) => [one, ...(one.labels || []), ...(one.closest('label') ? [one.closest('label')] : [])];
  const shows = (one) => one.checkVisibility({ visibilityProperty: true })
    && !one.closest('.vh, .skip, [aria-hidden=true], [inert]');
  const found = [...document.querySelectorAll(kinds)].filter(shows)
    .filter((one) => one.tagName !== 'A' || getComputedStyle(one).display !== 'inline');
  const tall = (one) => Math.max(...hit(one).map((part) => part.getBoundingClientRect().height));
  const told = (one) => `${one.tagName.toLowerCase()}.${one.className} ${(one.innerText || one.name || '')
    .trim().slice(0, 40)}: ${Math.round(tall(one))}`;
  return [found.length, found.filter((one) => tall(one) < least - 0.5).map(told)];
}"""


@pytest.mark.parametrize("part", [0, 1])
def test_each_control_is_large_enough_for_a_thumb(visit: Visit, people: Cast, part: int) -> None:
    pages = [*lived_in(people), "/measures/", f"/charts/{people.patient.pk}/people/",
             f"/charts/{people.patient.pk}/measures/phq9/"]  # fmt: skip
    visitor = visit(width=390, scheme="light")
    page = visitor.sign_in(people.alice)
    small: dict[str, Any] = {}
    for path in pages[part::2]:
        visitor.open(path)
        count, wrong = page.evaluate(SMALL, LEAST)
        assert count >= 5, path
        if wrong:
            small[path] = wrong
    assert small == {}, json.dumps(small, indent=1)
