"""What features add to a chart's banner and overview; the registry alone, no query here.

A feature registers one `Part` in `AppConfig.ready`. Nothing is drawn for a part that returns nothing, so that
no empty box stands for something that isn't there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.access.context import AccessContext
from patients.care.models import CareTeamMember
from patients.registry.models import Patient


@dataclass(frozen=True, slots=True)
class Look:
    """One opening of a chart: whose, all rows of the person, when, and the context that opens fields.

    `level` is known when flags are asked; overviews get that of an open alert where it is worse. `standing`
    is known when overviews are asked: in which relationship labels are, and whether Part 2 opens. `found` is
    what a part's overview read, for its own flag, or its flag for the page; `held_since` is when the first
    legal hold that runs was issued. Three the overview alone knows: the running team, the last session with
    somebody who treats, and from when changes are told, which is that session, else the reader's last look;
    without either only alerts, levels, measures and tasks are told.
    """

    patient: Patient
    ids: list[UUID]
    at: datetime
    context: AccessContext
    level: str = ""
    standing: tuple[str, bool] = ("", False)
    found: dict[str, Any] = field(default_factory=dict)
    team: Sequence[CareTeamMember] = ()
    met_at: datetime | None = None
    since: datetime | None = None
    held_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """What the banner says at all times: an allergy, a legal hold, a safety plan. Tone: "", warn or crit."""

    label: str
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer; `at` is when it came, or when it is due; what is `urgent` stands first."""

    words: str
    at: datetime | None = None
    url: str = ""
    icon: str = "point"
    late: bool = False
    detail: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that stands on the axis of the course: a plan change, a medication, a note signed."""

    at: datetime
    words: str
    kind: str = "change"


@dataclass(frozen=True, slots=True)
class Card:
    """A card below the first screen: a template with its context."""

    template: str
    context: dict[str, Any]


@dataclass(slots=True)
class Shown:
    """What one part adds: to what changed, what was agreed, what is due, the axis, and below."""

    changes: list[Line] = field(default_factory=list)
    agreed: list[Line] = field(default_factory=list)
    due: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """One feature's part. `flags` is asked on every page of a chart, `overview` on its first one alone.

    Both run in a fixed number of queries and open only the person's own fields.
    """

    key: str
    flags: Callable[[Look], list[Flag]] | None = None
    overview: Callable[[Look], Shown] | None = None


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Add a feature's part; the same key again replaces it."""
    _parts[part.key] = part


def unregister(key: str) -> None:
    """Take a part out (tests)."""
    _parts.pop(key, None)


def flags(look: Look) -> list[Flag]:
    """Return what all parts say in the banner."""
    return [flag for part in _parts.values() if part.flags for flag in part.flags(look)]


def overviews(look: Look) -> list[Shown]:
    """Return what all parts add to the overview."""
    return [part.overview(look) for part in _parts.values() if part.overview]
