"""The main navigation by role; pages of other floors by URL name only, figures by registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch

from cortex.ui.paths import path_to

DESK = frozenset({"counselor", "therapist", "psychiatrist", "supervisor"})
THERAPISTS = frozenset({"therapist", "psychiatrist"})
LOOKING_AFTER = THERAPISTS | {"supervisor"}
OFFICE = frozenset({"admin", "compliance", "auditor", "supervisor"})
LEADING = frozenset({"supervisor"})
ALL = DESK | OFFICE


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the rail: `count` names its figure, `alarm` colours it, `go` is its key after G.

    A phone's bar has room for five: roles in `beside` find the entry in the account's menu there.
    """

    key: str
    label: str
    icon: str
    url_name: str
    roles: frozenset[str] = field(default=DESK)
    count: str = ""
    what: str = ""
    alarm: bool = False
    go: str = ""
    beside: frozenset[str] = frozenset()


ITEMS = (
    Item("caseload", "Caseload", "users", "clinical:caseload", THERAPISTS, go="c"),
    Item("calendar", "Calendar", "calendar", "clinical:calendar", THERAPISTS, go="k"),
    Item("measures", "Measures", "clipboard-list", "clinical:measures_due", THERAPISTS, beside=ALL),
    Item("notes", "Notes", "notes", "clinical:note_desk", THERAPISTS, go="n", beside=ALL),
    Item("emotions", "Emotions", "mood-smile", "clinical:emotions", THERAPISTS, beside=ALL),
    Item("board", "Triage", "urgent", "crisis:board", count="waiting", what="waiting", alarm=True, go="q"),
    Item("cases", "My cases", "lifebuoy", "crisis:my_cases", count="mine", what="open with you", go="m"),
    Item(
        "followups",
        "Follow-ups",
        "calendar-event",
        "crisis:followups",
        DESK,
        "followups",
        "due",
        beside=THERAPISTS,
    ),
    Item("reviews", "To review", "clipboard-check", "crisis:review_list", count="reviews", what="due today"),
    Item("ways", "In and out", "login", "clinical:ways", THERAPISTS | {"supervisor", "admin"}, beside=ALL),
    Item("plans", "Plan reviews", "list-details", "clinical:plan_reviews", LOOKING_AFTER, beside=ALL),
    # What waits for a co-signature, or too long: a supervisor's first page stays the board.
    Item("led_notes", "Notes", "notes", "clinical:note_desk", LEADING, go="n", beside=LEADING),
    Item("duty", "Duty", "moon-stars", "crisis:duty", beside=THERAPISTS),
    Item("calibration", "Calibration", "target", "crisis:calibration", LEADING, beside=ALL),
    Item("billing", "Billing", "file-text", "clinical:billing", frozenset({"admin"}), beside=ALL),
    Item("glass", "Break-glass", "key", "clinical:glass_reviews", frozenset({"compliance"})),
    Item("office", "Back office", "settings", "admin:index", OFFICE, beside=LEADING),
    Item("people", "People", "users-group", "accounts:staff_list", LEADING | {"admin"}, beside=LEADING),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the floor of the desk adds to every page: the rail's figures, and what the page listens to.

    `watch` returns what that floor's own templates need; it names them as `data`, `live` and `bar`.
    """

    counts: Callable[[HttpRequest], dict[str, int]] = lambda request: {}
    watch: Callable[[HttpRequest], dict[str, Any]] = lambda request: {}


_desk = Desk()


def register(desk: Desk) -> None:
    """Let the floor of the desk add to every page's frame; the last one counts."""
    global _desk
    _desk = desk


def watch(request: HttpRequest) -> dict[str, Any]:
    """Return what this person's pages listen to, beside those that have a live part of their own."""
    return _desk.watch(request)


def entries(request: HttpRequest, role: str) -> list[dict[str, object]]:
    """Return the rail's entries for a role; a page that this deployment doesn't serve is left out."""
    figures = _desk.counts(request)
    return [
        {
            "item": item,
            "href": href,
            "count": figures.get(item.count, 0),
            "here": _is_here(request.path, item, href),
            "beside": role in item.beside,
        }
        for item in ITEMS
        if role in item.roles and (href := path_of(item.url_name))
    ]


def finds(role: str) -> str:
    """Return where a role searches the people whom they treat, from any page; "" where nobody is treated."""
    return path_of("clinical:caseload") if role in THERAPISTS else ""


def home_of(role: str) -> str:
    """Return the path of the first page of a role's navigation."""
    paths = (path_of(item.url_name) for item in ITEMS if role in item.roles)
    return next((path for path in paths if path), "/")


def _is_here(path: str, item: Item, href: str) -> bool:
    return path == href or (item.key != "board" and path.startswith(href))


def path_of(url_name: str) -> str:
    """Return the path of a page, or "" when it isn't routed."""
    try:
        return path_to(url_name)
    except NoReverseMatch:
        return ""
