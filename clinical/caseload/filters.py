"""What narrows a caseload, as codes of an address; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from clinical.caseload.queries import Case
from clinical.caseload.ranking import QUIET

VIEWS = (
    ("all", "Everybody"),
    ("need", "Asks for you"),
    ("off_track", "Not on track"),
    ("due", "Measures due"),
    ("silent", "Nothing heard"),
    ("reviewed", "Reviewed"),
)
LEVELS = (
    ("", "Any level"), ("high", "High or critical"), ("medium", "Medium"), ("low", "Low"),
    ("none", "Not assessed"),
)  # fmt: skip
PLACES = (("", "Own and covered"), ("own", "Own"), ("cover", "Covered"))
COMING = (("", "Booked or not"), ("booked", "Next one booked"), ("open", "Nothing booked"))
CHOICES = {"view": VIEWS, "level": LEVELS, "place": PLACES, "coming": COMING}


@dataclass(frozen=True, slots=True)
class Filters:
    """One view of a caseload."""

    view: str = "all"
    level: str = ""
    place: str = ""
    coming: str = ""

    @classmethod
    def read(cls, typed: Mapping[str, Any]) -> Filters:
        """Return the filters of an address or a saved view; what is no choice counts as not said."""
        found = {
            name: str(typed.get(name, "")) for name, known in CHOICES.items()
            if str(typed.get(name, "")) in dict(known)
        }  # fmt: skip
        return cls(**found)

    def codes(self) -> dict[str, str]:
        """Return what differs from everybody."""
        plain = Filters()
        return {key: value for key, value in asdict(self).items() if value != getattr(plain, key)}

    def query(self, **changes: str) -> str:
        """Return the address's query, with some filters changed."""
        values = asdict(self) | changes
        return urlencode(Filters(**values).codes())

    def holds(self, case: Case) -> bool:
        """Whether somebody is in this view."""
        return _view(case, self.view) and self.beside_view(case)

    def beside_view(self, case: Case) -> bool:
        """Whether somebody passes all filters but the view."""
        if self.level and self.level != _level(case):
            return False
        if self.place and (self.place == "cover") != bool(case.covers):
            return False
        return not self.coming or (self.coming == "booked") == (case.next_at is not None)

    def count(self, cases: list[Case], view: str) -> int:
        """Return how many would be in another view of the same filters."""
        return sum(_view(case, view) and self.beside_view(case) for case in cases)

    def selects(self) -> list[dict[str, Any]]:
        """Return the choices beside the views, for a form."""
        labels = {"level": "Level", "place": "Whose", "coming": "Next appointment"}
        found = []
        for name, label in labels.items():
            chosen = getattr(self, name)
            options = [(value, words, value == chosen) for value, words in CHOICES[name]]
            found.append({"name": name, "label": label, "options": options})
        return found


def _level(case: Case) -> str:
    return {"critical": "high", "": "none"}.get(case.level, case.level)


def _view(case: Case, which: str) -> bool:
    if which == "need":
        return case.place.group not in QUIET
    if which == "off_track":
        return bool(case.off_track)
    if which == "due":
        return bool(case.due)
    if which == "reviewed":
        return case.reviewed
    return which == "all" or case.place.group == which
