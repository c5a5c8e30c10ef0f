"""What a note needs before it is signed (domain 6.2): pure, over plain texts and dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from clinical.notes.wording import ASKS_FOLLOW_UP, ASKS_RISK, names_of

REMIND_AFTER = timedelta(hours=72)
SUPERVISOR_AFTER = timedelta(days=7)
ASKING_LEVELS = frozenset({"medium", "high", "critical"})


def missing(
    note_type: str,
    sections: Mapping[str, str],
    *,
    level: str,
    follow_up_on: date | None,
    occurred_on: date,
    is_ahead: bool = False,
) -> list[tuple[str, str]]:
    """Return (field, sentence) of what keeps a note from being signed; empty when nothing does.

    `is_ahead`: the contact that it is about is still to come.
    """
    found = []
    texts = {name: sections.get(name, "").strip() for name in names_of(note_type)}
    if not any(text for name, text in texts.items() if name != "risk_statement"):
        found.append((names_of(note_type)[0], "Nothing is written yet."))
    if note_type in ASKS_RISK and level in ASKING_LEVELS and not texts["risk_statement"]:
        found.append(("risk_statement", f"The level is {level}: state the risk."))
    if is_ahead:
        found.append(("occurred_at", "The contact lies ahead. A note is signed once it was."))
    if note_type in ASKS_FOLLOW_UP:
        if follow_up_on is None:
            found.append(("follow_up_on", "Give the date of the next contact."))
        elif follow_up_on < occurred_on:
            found.append(("follow_up_on", "The next contact can't lie before this one."))
    return found
