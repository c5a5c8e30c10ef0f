"""A question about a welfare check as its page shows it; no query, nothing opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from cortex.access.context import holds
from cortex.access.unreadable import UNREADABLE, readable
from cortex.ui.zone import zone_of
from crisis.alerts.wording import LANGUAGES
from crisis.reviews.contacts import Contact
from crisis.reviews.models import FollowUpAttempt
from crisis.welfare.models import WelfareDecision
from crisis.welfare.queries import Asked

CONTACTS = {
    Contact.TRIED: "The emergency contact was tried.",
    Contact.MAY_RING: "The emergency contact may be rung and was not tried yet.",
    Contact.CLOSED: "Not rung: there is no consent to ring the emergency contact, and no exception runs.",
    Contact.NOBODY: "Not rung: no emergency contact is on record.",
}


def page(found: Asked, at: datetime) -> dict[str, Any]:
    """Return what a supervisor decides on: who it is, what was tried, and what was decided before."""
    item, card = found.item, found.card
    is_alert = item.source_type == "alert"
    return {
        "item": {
            "id": item.pk,
            "asked_at": item.created_at,
            "due_at": item.due_at,
            "is_late": item.due_at <= at,
        },
        "why": (
            "Somebody in critical danger could not be located. Their alert ends so only after this decision."
            if is_alert
            else "No try reached this person: three within a day, on two channels or more."
        ),
        "alert_url": reverse("crisis:alert_page", args=[item.source_id]) if is_alert else "",
        "level": found.level,
        "person": card,
        "facts": _facts(found, at),
        "tries": [_try(one) for one in found.tries],
        "contact": CONTACTS[found.contact],
        "earlier": [decided(one, with_words=True) for one in found.earlier],
        "decide_url": reverse("crisis:welfare_check", args=[item.pk]),
    }


def _facts(found: Asked, at: datetime) -> list[dict[str, Any]]:
    card = found.card
    place = (card.last_place or {}).get("label", "")
    rows = [
        ("Phone", card.phone, True),
        ("Home", card.home_address, True),
        ("Where", place, True),
        ("Their time", f"{at.astimezone(zone_of(card.timezone)):%H:%M}, {card.timezone}", False),
        ("Language", LANGUAGES.get(card.language, card.language), False),
    ]
    return [{"label": label, "value": value, "pii": pii} for label, value, pii in rows if value]


def _try(one: FollowUpAttempt) -> dict[str, Any]:
    return {
        "channel": one.get_channel_display(),
        "at": one.attempted_at,
        "by": one.attempted_by.full_name if one.attempted_by else "",
        "note": _said(one, "note"),
    }


def decided(one: WelfareDecision, *, with_words: bool = False) -> dict[str, Any]:
    """Return a decision as a line; `with_words` adds what the caller has opened."""
    words = {name: _said(one, name) if with_words else "" for name in ("reason", "reference")}
    return {
        "label": one.get_decision_display(),
        "at": one.decided_at,
        "by": one.decided_by.full_name,
        "again_by": one.again_by,
    } | words


def _said(row: FollowUpAttempt | WelfareDecision, name: str) -> str:
    return str(readable(row, name, UNREADABLE)) if holds(row, name) else ""
