"""The limits of a consent (domain 7.1): which codes are known, how they are said, and from when it counts.

What decides by a consent asks for its window alone. Purposes, categories of data, recipients and channels
are for people: whoever looks reads the words, and nothing here or elsewhere filters by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import TextChoices

from patients.codes import ConsentChannel, ConsentPurpose, ConsentRecipient, DataCategory

LISTS: dict[str, type[TextChoices]] = {
    "purposes": ConsentPurpose,
    "data_categories": DataCategory,
    "recipients": ConsentRecipient,
    "channels": ConsentChannel,
}
SAID = {
    "purposes": "only for",
    "data_categories": "only this data:",
    "recipients": "only towards",
    "channels": "only by",
    "exclusions": "not for",
}


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when something counts: `begins` is the first moment, `ends` the first one after it."""

    begins: datetime | None = None
    ends: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


ALWAYS = Window()
# A limit that nobody can read allows nothing.
NEVER = Window(begins=datetime.max.replace(tzinfo=UTC))


def window_of(scope: Any) -> Window:
    """Return from when to when a consent with this scope counts, by its `from` and `to`.

    Each is a moment with its offset, or a day, which is counted in UTC and is itself within.
    """
    if not isinstance(scope, Mapping):
        return NEVER if scope else ALWAYS
    begins, ends = _moment(scope.get("from")), _moment(scope.get("to"), after=True)
    return NEVER if begins is NEVER or ends is NEVER else Window(begins, ends)  # type: ignore[arg-type]


def _moment(text: Any, *, after: bool = False) -> datetime | Window | None:
    """Return a moment, None where none is given, NEVER for what can't be read."""
    if text is None or text == "":
        return None
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            if after and day == date.max:
                return None
            return datetime.combine(day + timedelta(days=after), time.min, UTC)
        moment = datetime.fromisoformat(text)
        return moment if moment.utcoffset() is not None else NEVER
    except (TypeError, ValueError):
        return NEVER


def fault_of(scope: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return (code, key) of the first limit that isn't understood, or None.

    `unknown_code`: not on the list of its key; `not_a_time`: no moment and no day; `before_start`: `to` is
    not after `from`.
    """
    for key, known in LISTS.items():
        value = scope.get(key, [])
        if not isinstance(value, list | tuple) or set(map(str, value)) - set(known.values):
            return "unknown_code", key
    for key in ("from", "to"):
        if _moment(scope.get(key)) is NEVER:
            return "not_a_time", key
    window = window_of(scope)
    if window.begins and window.ends and window.ends <= window.begins:
        return "before_start", "to"
    return None


def is_limited(scope: Any) -> bool:
    """Whether a consent allows less than its whole type."""
    return isinstance(scope, Mapping) and any(scope.get(key) for key in SAID)


def limit_words(scope: Any) -> list[str]:
    """Return the limits of a consent in words; a code of before the lists is said as it is."""
    if not isinstance(scope, Mapping):
        return []
    words = [f"{said} {_listed(key, scope[key])}" for key, said in SAID.items() if scope.get(key)]
    words += [f"{key} {_day(scope[key])}" for key in ("from", "to") if scope.get(key)]
    for key, value in scope.items():
        if key not in SAID and key not in ("from", "to"):
            told = _listed(key, value) if isinstance(value, list) else "yes" if value is True else value
            words.append(f"{key}: {told}".replace("_", " "))
    return words


def _listed(key: str, value: Any) -> str:
    known = {one.value: _small(str(one.label)) for one in LISTS[key]} if key in LISTS else {}
    many = map(str, value if isinstance(value, list | tuple) else [value])
    return ", ".join(known.get(one, one.replace("_", " ")) for one in many)


def _small(label: str) -> str:
    """Return a label as it stands within a sentence."""
    return label if label.isupper() else label[:1].lower() + label[1:]


def _day(text: Any) -> str:
    """Return the day that was written down, by the offset that it was written with."""
    moment = _moment(text)
    if not isinstance(moment, datetime):
        return f"{text} (can't be read: it allows nothing)"
    return f"{moment:%-d %b %Y}"
