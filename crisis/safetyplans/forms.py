"""The one form of a whole safety plan: rows of lines by section, read by name and order; no writes here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from cortex.ui.moments import DayField
from cortex.ui.saving import SpellForm
from crisis.safetyplans.actions import NEEDS_WORDS, Written
from crisis.safetyplans.models import MOST_CONTACT, MOST_LINES, MOST_TEXT, SafetyPlan
from crisis.safetyplans.queries import Line, Lines
from crisis.safetyplans.wording import RETIRED, SECTIONS, Section

# So many empty rows stand below what is there, and so many at least in each section.
BLANK = 1
LEAST = 2
WHAT = {"more": "more", "up": "up", "down": "down", "out": "out"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form: where it stands, and what was typed in it."""

    number: int
    text: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One section of the form with its rows, and what is wrong with it."""

    section: Section
    rows: list[Row]
    errors: list[str]
    may_grow: bool


class SafetyPlanForm(SpellForm):
    """Every line of a plan as it was typed, in the order of its rows.

    The rows of a section are repeated fields (`warning_signs_text`, `warning_signs_contact`): a script moves
    them about, and without one a button that names a row sends everything along and gets it back moved.
    """

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    created_with_patient = forms.BooleanField(
        label="Made together with the person", required=False,
        help_text="Only such a plan counts as something that protects.",
    )  # fmt: skip
    means_review_on = DayField(
        label="Look at this step again on", required=False,
        widget=forms.DateInput({"type": "date", "class": "input"}, "%Y-%m-%d"),
    )  # fmt: skip

    def __init__(self, data: QueryDict | None = None, *, lines: Lines | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="sp_%s", **kwargs)
        self._lines = lines or {}
        self._said: dict[str, list[str]] = {}

    def lines(self) -> Lines:
        """Return the rows as they were typed, empty ones among them; unbound, those of the plan."""
        if not isinstance(self.data, QueryDict):
            return {key: list(rows) for key, rows in self._lines.items()}
        return {one.key: typed(self.data, one.key) for one in SECTIONS}

    def clean(self) -> dict[str, Any]:
        """Say which section has a row that can't be kept; what is finished needs words in each, too."""
        data = super().clean() or self.cleaned_data
        for one in SECTIONS:
            found = fault_of(self.lines().get(one.key, []), finished="finish" in self.data)
            if found:
                self.refuse(one.key, f"{one.title}: {found}")
        return data

    def refuse(self, key: str, message: str) -> None:
        """Put a message at a section and above the form."""
        self._said.setdefault(key, []).append(message)
        forms.Form.add_error(self, None, message)

    def add_error(self, field: Any, error: Any) -> None:
        """Put what an action refuses where its section stands."""
        if isinstance(field, str) and field in {one.key for one in SECTIONS}:
            self.refuse(field, str(error))
        else:
            super().add_error(field, error)

    def blocks(self) -> list[Block]:
        """Return the sections with their rows, and some empty ones below them."""
        lines = self.lines()
        return [self._block(one, lines.get(one.key, [])) for one in SECTIONS]

    def _block(self, section: Section, rows: list[Line]) -> Block:
        filled = len(rows) if isinstance(self.data, QueryDict) else max(LEAST, len(rows) + BLANK)
        filled = min(max(filled, 1), MOST_LINES)
        padded = [*rows, *[("", "")] * (filled - len(rows))][:MOST_LINES]
        return Block(
            section, [Row(number, *one) for number, one in enumerate(padded)],
            self._said.get(section.key, []), len(padded) < MOST_LINES,
        )  # fmt: skip

    def written(self) -> Written:
        """Return the action's words; line ends and runs of blanks become one blank."""
        return Written(
            {key: [(squeezed(text), squeezed(contact)) for text, contact in rows]
             for key, rows in self.lines().items()},
            self.cleaned_data["created_with_patient"], self.cleaned_data["means_review_on"],
        )  # fmt: skip


def squeezed(text: str) -> str:
    """Return a line on one line."""
    return " ".join(text.split())


def typed(data: QueryDict, key: str) -> list[Line]:
    """Return the rows of one section as they were sent."""
    texts, contacts = data.getlist(f"{key}_text"), data.getlist(f"{key}_contact")
    count = min(max(len(texts), len(contacts)), 2 * MOST_LINES)
    padded = [*texts, *[""] * count][:count], [*contacts, *[""] * count][:count]
    return list(zip(*padded, strict=True))


def fault_of(rows: Sequence[Line], *, finished: bool = True) -> str:
    """Return what is wrong with a section's rows; "" when they can be kept.

    A draft keeps a number that nobody has said a word about yet: somebody is still typing.
    """
    lines = [(squeezed(text), squeezed(contact)) for text, contact in rows]
    lines = [one for one in lines if any(one)]
    if len(lines) > MOST_LINES:
        return f"{MOST_LINES} lines at most."
    if any("\x00" in text + contact for text, contact in lines):
        return "a line holds a sign that can't be kept."
    if finished and any(not text for text, _ in lines):
        return NEEDS_WORDS
    if any(len(text) > MOST_TEXT for text, _ in lines):
        return f"a line is longer than {MOST_TEXT} signs."
    if any(len(contact) > MOST_CONTACT for _, contact in lines):
        return f"what stands beside a line is longer than {MOST_CONTACT} signs."
    return ""


def rearranged(data: QueryDict, asked: str) -> QueryDict | None:
    """Return what was typed with one row more, moved or taken out; None when `asked` names no such thing.

    `asked` is "more:section", "up:section:row", "down:section:row" or "out:section:row".
    """
    what, _, rest = asked.partition(":")
    key, _, place = rest.partition(":")
    if what not in WHAT or key not in {one.key for one in SECTIONS}:
        return None
    rows = typed(data, key)
    if what == "more":
        rows = [*rows, ("", "")][:MOST_LINES]
    elif place.isascii() and place.isdigit() and int(place) < len(rows):
        rows = _moved(rows, what, int(place))
    changed = data.copy()
    changed.setlist(f"{key}_text", [text for text, _ in rows])
    changed.setlist(f"{key}_contact", [contact for _, contact in rows])
    return changed


def _moved(rows: list[Line], what: str, place: int) -> list[Line]:
    rest = [one for number, one in enumerate(rows) if number != place]
    if what == "out":
        return rest or [("", "")]
    rest.insert(max(0, place + (-1 if what == "up" else 1)), rows[place])
    return rest


class RetireForm(forms.Form):
    """Why a plan is no longer in force: of a list."""

    reason = forms.ChoiceField(
        label="Why", choices=list(RETIRED.items()), widget=forms.RadioSelect,
        error_messages={"required": "Say why."},
    )  # fmt: skip


def initial_of(plan: SafetyPlan | None, token: str) -> Mapping[str, Any]:
    """Return what a fresh form says beside its lines."""
    return {
        "seen": token,
        "created_with_patient": plan.created_with_patient if plan else False,
        "means_review_on": plan.means_review_on if plan else None,
    }
