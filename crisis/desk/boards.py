"""The board's page, joined of kept parts: cards and lists by their rows, the rest by viewer; no query here.

A part's key names all that its text depends on: the versions of the rows behind it, who looks, and how. What
differs with each answer (the form's token, the time, where the feeds stand, phones) is put in last, and no
opened value is ever kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import get_language

from cortex.access.context import AccessContext
from cortex.accounts.limits import noted_seconds
from cortex.accounts.models import User
from cortex.accounts.sessions.clocks import limits
from cortex.clock import clock
from cortex.ops.held import Held
from cortex.ui.pages import is_partial
from cortex.ui.templatetags.ui import json_data
from crisis.desk import queries, showing
from crisis.desk.facts import Facts, Row, desk_of, facts_of
from crisis.desk.queries import LONGEST_LIST
from crisis.desk.showing import Filters, Shown
from crisis.duty.queries import muted_seconds

BOARD = "crisis/alerts/board.html"
LISTS = "crisis/alerts/_lists.html"
SHIFT = "crisis/alerts/_shift.html"
# Private-use characters: none of them stands in a template, and names are escaped around them at most.
CSRF, TOPICS, PLACED, ON_SHIFT, NOTED = (
    f"\ue000{name}\ue001" for name in ("csrf", "topics", "lists", "shift", "noted")
)
MARKS = re.compile(r'(\ue000\w+\ue001|(?<=data-now=")[^"]*(?="))')

CARDS: Held[Shown] = Held(2_000, 16 * 2**20, lambda one: len(one.html))
DESKS: Held[tuple[Shown, ...]] = Held(64, 64 * LONGEST_LIST, len)
JOINED: Held[str] = Held(64, 16 * 2**20, len)
SHELLS: Held[tuple[str, ...]] = Held(256, 32 * 2**20, lambda parts: sum(map(len, parts)))


def forget() -> None:
    """Drop what this process keeps, as if it had just begun."""
    CARDS.forget()
    DESKS.forget()
    JOINED.forget()
    SHELLS.forget()


def board_text(
    request: HttpRequest, ctx: AccessContext, user: User, filters: Filters
) -> tuple[str, dict[str, int]]:
    """Return the whole board, or only its lists when a part was asked for, and the feeds that it shows."""
    organizations = desk_of(user)
    if not organizations or (not is_partial(request) and len(get_messages(request))):
        # Off shift there is little to keep; a message is shown once.
        shown = queries.board(ctx, user=user, filters=filters, at=clock())
        template = LISTS if is_partial(request) else BOARD
        return render_to_string(template, {"board": shown}, request=request), shown["topics"]
    facts = facts_of(user, organizations, LONGEST_LIST)
    shown_now = DESKS.get(facts.alerts) or DESKS.put(facts.alerts, _cards(facts.rows))
    lists = _lists(user, organizations, facts, shown_now, filters)
    if is_partial(request):
        return lists, facts.topics
    shell = _shell(request, ctx, user, organizations, facts, shown_now, filters)
    return "".join(_filled(request, ctx, user, facts, lists, shell)), facts.topics


def _cards(rows: Sequence[Row]) -> tuple[Shown, ...]:
    """Return the cards of these rows; only those that have changed are read and rendered."""
    found = {row: CARDS.get(row) for row in rows}
    missing = {pk: (pk, version) for (pk, version), one in found.items() if one is None}
    for one in queries.shown_cards(missing) if missing else ():
        found[missing[one.pk]] = CARDS.put(missing[one.pk], one)
    # One that has ended since its row was read is no longer of the board.
    return tuple(one for one in found.values() if one is not None and not one.card["closed"])


def _lists(
    user: User,
    organizations: list[UUID],
    facts: Facts,
    shown: Sequence[Shown],
    filters: Filters,
) -> str:
    viewer = user.pk if filters.mine else None
    key = (
        tuple(organizations), facts.alerts, tuple(facts.topics.items()), facts.policies, filters, viewer,
        timezone.get_current_timezone_name(), get_language(),
    )  # fmt: skip
    kept = JOINED.get(key)
    if kept is not None:
        return kept
    board = showing.lists(shown, filters, user) | {
        "topics": facts.topics,
        "targets": queries.targets(organizations),
        "filters": filters,
    }
    return JOINED.put(key, render_to_string(LISTS, {"board": board}))


def _shell(
    request: HttpRequest,
    ctx: AccessContext,
    user: User,
    organizations: list[UUID],
    facts: Facts,
    shown: Sequence[Shown],
    filters: Filters,
) -> tuple[str, ...]:
    """Return the page around the lists, cut at its marks; one for each viewer, figure and minute."""
    counts = showing.counts(shown, user, facts.at)
    key = (
        *_viewer(request, user), tuple(organizations), counts, facts.lists, facts.policies,
        facts.waiting, facts.mine,
        facts.follow_ups, facts.reviews, facts.ended, facts.at.replace(second=0, microsecond=0),
        facts.late_since, request.get_full_path(),
    )  # fmt: skip
    # How long the alarm stays muted is counted down: such a page is nobody's a second later.
    is_muted = facts.is_muted or muted_seconds(user, facts.at) > 0
    kept = None if is_muted else SHELLS.get(key)
    if kept is not None:
        return kept
    figures = {
        "waiting": facts.waiting, "mine": facts.mine, "followups": facts.follow_ups, "reviews": facts.reviews,
    }  # fmt: skip
    request.rail_counts = figures  # type: ignore[attr-defined]  # the frame need not count them again
    board = queries.around(ctx, user, organizations, facts.at, phones=not facts.opens_phone) | {
        "tiles": showing.tiles(replace(counts, follow_ups=min(facts.follow_ups, 100), ended=facts.ended)),
        "topics": facts.topics,
        "server_now": facts.at,
        "filters": filters,
    }
    values = {"board": board, "lists": PLACED, "csrf_token": CSRF, "noted_seconds": NOTED}
    if facts.opens_phone:
        values["shift"] = ON_SHIFT
    text = render_to_string(BOARD, values, request=request)
    parts = tuple(MARKS.split(text.replace(escape(json_data(facts.topics)), TOPICS)))
    return parts if is_muted else SHELLS.put(key, parts)


def _viewer(request: HttpRequest, user: User) -> tuple[Any, ...]:
    """Return what the frame shows of who looks, and how."""
    own = user.organization
    return (
        user.pk, user.full_name, user.role, user.has_pin, repr(sorted(user.preferences.items())),
        request.session.get("privacy", False), own.name, repr(own.settings), limits().idle,
        timezone.get_current_timezone_name(), get_language(),
    )  # fmt: skip


def _filled(
    request: HttpRequest,
    ctx: AccessContext,
    user: User,
    facts: Facts,
    lists: str,
    shell: tuple[str, ...],
) -> list[str]:
    """Put in what differs with each answer; every second part of a shell is a mark."""
    parts = list(shell)
    token, topics = get_token(request), escape(json_data(facts.topics))
    for place in range(1, len(parts), 2):
        mark = parts[place]
        if mark == PLACED:
            parts[place] = lists
        elif mark == CSRF:
            parts[place] = token
        elif mark == TOPICS:
            parts[place] = topics
        elif mark == NOTED:
            parts[place] = str(noted_seconds(request))
        elif mark == ON_SHIFT:
            parts[place] = render_to_string(SHIFT, queries.shift_part(ctx, user, facts.at))
        else:
            parts[place] = timezone.localtime(facts.at).isoformat(timespec="seconds")
    return parts
