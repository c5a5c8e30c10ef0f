"""The alerts of a board as it shows them: cards with their text, lists by filters, figures; no query here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import mark_safe

from cortex.accounts.models import User
from crisis.alerts.cards import RENDERED, card
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OWNED, WAITING
from crisis.alerts.wording import LANGUAGES


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person asked the board to show."""

    mine: bool = False
    level: str = ""
    language: str = ""

    @property
    def active(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.mine or self.level or self.language)

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Return the choices of the language filter."""
        return list(LANGUAGES.items())


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert as the board shows it: its card, the card rendered, and what a page knows of a hidden one."""

    pk: UUID
    card: dict[str, Any]
    html: str
    index: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of the tiles."""

    waiting: int
    past: int
    mine: int
    working: int
    follow_ups: int = 0
    ended: int = 0


def shown_as(alert: RiskAlert) -> Shown:
    """Return an alert that was read `for_cards()` as the board shows it."""
    found = card(alert)
    html = mark_safe(RENDERED.rendered(found))  # noqa: S308 - our own template's output
    return Shown(alert.pk, found, html, _index(found))


def lists(shown: Sequence[Shown], filters: Filters, user: User) -> dict[str, Any]:
    """Return the two lists of the board, and what its page must know of those that a filter hides."""
    chosen = [one.card | {"html": one.html} for one in shown if _matches(one.card, filters, user)]
    return {
        "waiting": [one for one in chosen if one["state"] in WAITING],
        "in_progress": [one for one in chosen if one["state"] in OWNED],
        "open_index": [one.index for one in shown],
    }


def counts(shown: Sequence[Shown], user: User, at: datetime) -> Counts:
    """Return the figures that the alerts themselves give."""
    waiting = [one.card for one in shown if one.card["state"] in WAITING]
    me = str(user.pk)
    return Counts(
        waiting=len(waiting),
        past=sum(at > one["claim_due"] for one in waiting),
        mine=sum((one.card["owner"] or {}).get("id") == me for one in shown),
        working=sum(one.card["state"] in OWNED for one in shown),
    )


def _matches(shown: dict[str, Any], filters: Filters, user: User) -> bool:
    if filters.mine and (shown["owner"] or {}).get("id") != str(user.pk):
        return False
    if filters.level and shown["level"] != filters.level:
        return False
    return not filters.language or shown["language"] == filters.language


def _index(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what the page must know of an open alert that a filter hides."""
    return {
        "id": shown["id"],
        "state": shown["state"],
        "level": shown["level"],
        "owner": (shown["owner"] or {}).get("id", ""),
        "n": shown["version"],
        "sos": shown["waiting_person"],
        "claim_due": shown["claim_due"],
    }


def tiles(figures: Counts) -> list[dict[str, Any]]:
    """Return the row of figures above the board."""
    url = reverse("crisis:board")
    past = f"{figures.past} past target" if figures.past else ""
    return [
        _tile("waiting", "Waiting", figures.waiting, past, url, figures.past > 0, True),
        _tile("mine", "Mine", figures.mine, "open with you", reverse("crisis:my_cases")),
        _tile("progress", "In progress", figures.working, "whole team", url + "#progress"),
        _tile("followups", "Follow-ups", figures.follow_ups, "due within a day", reverse("crisis:followups")),
        _tile("resolved", "Resolved", figures.ended, "last 24 hours", reverse("crisis:resolved")),
    ]


def _tile(
    key: str, label: str, count: int, detail: str, href: str, alarm: bool = False, current: bool = False
) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "count": count,
        "detail": detail,
        "href": href,
        "alarm": alarm,
        "current": current,
    }
