"""Every page of desk and room, by whoever may open it: axe in both themes, width, weight, shift, console.

The pages are those of the resolver, with the rows of the walk over the addresses: none can be forgotten.
With CORTEX_SHOTS=folder each is also photographed, for eyes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from tests.browser.conftest import Visitor
from tests.browser.test_board import Visit
from tests.browser.test_chart import HEAVIEST, MOST_SHIFT, SHIFT, weigh
from tests.walk.addresses import addresses
from tests.walk.pairs import page_pairs
from tests.walk.rounds import ROLES
from tests.walk.world import World, make_world

PARTS = 12
SHOTS = os.environ.get("CORTEX_SHOTS", "")
WIDTHS = (1440, 390)
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# Each theme at each width in `make proof` and `make shots`; else each of either once.
EVERY = bool(os.environ.get("CORTEX_EXPLORE") or SHOTS)
OUTSIDE = """
[...document.links].filter(a => /^https?:/.test(a.href) && a.host !== location.host).map(a => a.href)
"""
# Words that buttons and marks beside them leave no room: on a phone they stand one above the other.
SQUEEZED = """
[...document.querySelectorAll(':is(.note, .plainlist li) > :is(.grow, div, p)')]
  .filter(one => one.checkVisibility() && one.offsetWidth < 150 && one.offsetHeight > 70)
  .map(one => one.textContent.trim().slice(0, 60))
"""
# The crisis lines are one tap away: seen as the page opens, or in the foot of those before a session.
LINES = """
[...document.querySelectorAll('a[href$="/crisis-lines/"]')].some(one => one.checkVisibility()
  && (!document.querySelector('.app') || one.getBoundingClientRect().top < innerHeight))
"""
# Who opens what needs no session.
NOBODY = "nobody"


def pages(world: World) -> list[tuple[str, str]]:
    """Return (who, path) of what may answer with a page outside of the back office and the API."""
    pairs, found = page_pairs(world), []
    for address in addresses():
        if address.is_admin or address.is_api or address.access is None:
            continue
        if not address.ids:
            roles = address.access.roles
            coming = [one for one in ROLES if str(world.people[one].role) in roles] or [NOBODY]
            found.append((coming[0], address.path()))
        elif address.access.how == "roles":
            pair = pairs[address.name]
            if pair.first and "GET" in pair.methods:
                found.append((pair.first, address.path(**pair.ids)))
    return found


def is_page(visitor: Visitor, path: str) -> bool:
    """Whether an address answers with a whole page of its own: no file, no part of one, nothing to follow."""
    answer = visitor.context.request.get(visitor.origin + path, max_redirects=0)
    return answer.status == 200 and answer.text()[:30].lower().lstrip().startswith("<!doctype html")


def photograph(visitor: Visitor, path: str, scheme: str, width: int) -> None:
    """Keep a picture of the page as it stands, where somebody asked for pictures."""
    if SHOTS:
        name = f"{path.strip('/').replace('/', '.')[:90] or 'home'}.{scheme}.{width}.png"
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        visitor.page.screenshot(path=Path(SHOTS) / name, full_page=True)


def faults(visitor: Visitor, path: str) -> dict[str, object]:
    """Open a page with an empty cache and return what is wrong with it; else nothing."""
    page = visitor.page
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme=SCHEMES[0])
    weight = weigh(visitor, path)
    shift = page.evaluate(SHIFT)
    found: dict[str, object] = {
        "weighs": weight if weight > HEAVIEST else 0,
        "shifts": shift if shift > MOST_SHIFT else 0,
    }
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found[f"wider than {width} by"] = visitor.overflow()
        found[f"squeezed at {width}"] = page.evaluate(SQUEEZED)
        found[f"no way to the crisis lines at {width}"] = not page.evaluate(LINES)
        for scheme in SCHEMES if EVERY else (SCHEMES[WIDTHS.index(width)],):
            page.emulate_media(color_scheme=scheme)
            found[f"{scheme}, {width}"] = visitor.axe()
            photograph(visitor, path, scheme, width)
    # No page leads to another host: there is no page that says so before leaving.
    found["leads to"] = page.evaluate(OUTSIDE)
    found["console"], visitor.complaints[:] = list(visitor.complaints), []
    return {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_clean_light_and_steady(visit: Visit, part: int) -> None:
    world = make_world()
    visitors: dict[str, Visitor] = {}
    wrong, looked_at = {}, 0
    for who, path in pages(world)[part::PARTS]:
        if who not in visitors:
            visitors[who] = visit()
            if who != NOBODY:
                visitors[who].sign_in(world.people[who])
        if is_page(visitors[who], path):
            looked_at += 1
            found = faults(visitors[who], path)
            if found:
                wrong[path] = found
    print(f"{looked_at} pages")
    assert wrong == {}
    assert looked_at >= 5, "hardly a page was looked at"
