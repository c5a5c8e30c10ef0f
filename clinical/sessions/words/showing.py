"""How many messages a session has, and which of them a page shows, in words; no query, nothing opened."""

from __future__ import annotations

from clinical.sessions.words.queries import PART, Part, Said


def said_words(said: Said) -> str:
    """Return how many messages there are, and that a long conversation opens by parts."""
    told = f"{said.count:,} message{'s' if said.count != 1 else ''}, sealed."
    return f"{told} They open {PART} at a time." if said.parts > 1 else told


def part_words(part: Part) -> str:
    """Return which messages a page of words shows, of how many."""
    if part.of == 1:
        return f"{part.total}"
    which = f"the first {part.last:,}" if part.number == 1 else f"{part.first:,} to {part.last:,}"
    return f"{which} of {part.total:,}"


def part_section(part: Part) -> list[str]:
    """Return which part of a long conversation was opened, for the access log; nothing of a short one."""
    return [f"messages {part.first}-{part.last}"] if part.of > 1 else []
