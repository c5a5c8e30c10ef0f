"""The card: the same bytes for everybody, codes and clocks only, and a claim without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

AT = datetime(2026, 11, 19, 3, 9, tzinfo=UTC)


def card(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": "01900000-0000-7000-8000-000000000001",
        "version": 7,
        "level": "critical",
        "state": "notified",
        "state_label": "",
        "closed": False,
        "reason": "Says they will end their life",
        "source_icon": "phone",
        "source_label": "SOS button",
        "pseudonym": "CX-20973",
        "age_band": "25_34",
        "organization": "Northgate",
        "language": "sw",
        "language_label": "Swahili",
        "opened_at": AT,
        "level_since": AT,
        "claim_due": AT + timedelta(minutes=2),
        "contact_due": AT + timedelta(minutes=5),
        "disposition_due": AT + timedelta(minutes=60),
        "claimed_at": None,
        "contact_at": None,
        "owner": None,
        "waiting_person": True,
        "unconfirmed_step": True,
        "claim_url": "/alerts/1/claim/",
        "page_url": "/alerts/1/",
        "preview_url": "/alerts/1/panel/",
    }
    return made | changes


def render(**changes: Any) -> str:
    return render_to_string("crisis/alerts/_card.html", {"card": card(**changes)})


OWNER = {"id": "u-1", "name": "Petra Novak", "initials": "PN", "stage_label": "In contact"}


def test_a_waiting_card_claims_through_the_form_of_its_page() -> None:
    shown = render()
    assert 'form="claim-form" formaction="/alerts/1/claim/"' in shown
    assert "csrf" not in shown


def test_a_card_carries_what_the_browser_sorts_and_counts_by() -> None:
    shown = render()
    for part in ('data-r="4"', 'data-sos="1"', 'data-n="7"', 'data-state="notified"', 'data-owner=""'):
        assert part in shown


def test_an_owned_card_names_the_owner_and_offers_no_claim() -> None:
    shown = render(owner=OWNER, state="acknowledged")
    assert 'data-owner="u-1"' in shown
    assert "Petra Novak" in shown
    assert "data-act" not in shown


def test_a_closed_card_says_how_it_stands() -> None:
    shown = render(closed=True, state="resolved", state_label="Resolved")
    assert "Resolved" in shown
    assert "data-due" not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [({}, "Claim by"), ({"owner": OWNER}, "Contact by"), ({"owner": OWNER, "contact_at": AT}, "Outcome by")],
)
def test_a_card_shows_the_clock_that_runs(changes: dict[str, Any], words: str) -> None:
    assert words in render(**changes)


def test_a_missing_confirmation_and_a_waiting_person_are_said_in_words() -> None:
    shown = render()
    assert "Waiting for a person" in shown
    assert "Nobody confirmed" in shown


def test_what_an_app_sent_is_escaped() -> None:
    assert "<img" not in render(pseudonym="<img src=x>")
