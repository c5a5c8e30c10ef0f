"""How many messages a session has, which a page shows, and what was read in one, in words; no query."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from clinical.sessions.words.queries import PART, Part, Said
from clinical.timeline.wording import evidence_title

REFUTED = "found to be no sign when the alert ended"


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


def read_words(marks: Iterable[tuple[str, bool]], closed: Collection[str] = ()) -> tuple[str, ...]:
    """Return what was read in somebody's words, each once; nothing of codes that are `closed` to the reader.

    A mark beside open words would name what a label keeps back, even as a protected factor.
    """
    told = [(evidence_title(code), refuted) for code, refuted in marks if code not in closed]
    return tuple(dict.fromkeys(f"{title} ({REFUTED})" if refuted else title for title, refuted in told))
