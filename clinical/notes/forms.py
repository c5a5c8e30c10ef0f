"""Fields of notes, labels and text blocks; no writes here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict

from clinical.notes.models import NoteType
from clinical.notes.wording import ASKS_FOLLOW_UP, EXPORTED_FOR, LABELS, SHAPES, takes_blocks
from clinical.plans.diagnoses.models import Diagnosis
from cortex.ui.moments import DayField, MomentField
from cortex.ui.saving import MOST_SAVES, SpellForm

DAY = forms.DateInput({"type": "date", "class": "input"}, "%Y-%m-%d")
TEXT = {"class": "textarea", "autocomplete": "off", "spellcheck": "true"}

DAYS = ("follow_up_on", "occurred_at")
WORDS_KEPT = "Your words are saved. A day is not:"


class NoteForm(SpellForm):
    """The sections of one type of note, with which page saved what: version, spell, and the save's number."""

    # A draft is saved without it, and signed only with it: no "(optional)" beside it.
    one_of = ("follow_up_on",)

    version = forms.IntegerField(min_value=1, max_value=MOST_SAVES, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        note_type: str,
        diagnoses: Iterable[Diagnosis] = (),
        occurred_at: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["auto_id"] = "n_%s"
        super().__init__(*args, **kwargs)
        self.note_type = note_type
        for section in SHAPES[note_type]:
            self.fields[section.name] = forms.CharField(
                label=section.label, help_text=section.hint, required=False, strip=False,
                widget=forms.Textarea(TEXT | {"rows": section.rows}),
            )  # fmt: skip
        if note_type in ASKS_FOLLOW_UP:
            self.fields["follow_up_on"] = DayField(
                label="Next contact on", required=False, widget=DAY, help_text="Needed before signing."
            )
        offered = [(str(one.pk), f"{one.code} {one.title}") for one in diagnoses]
        if offered:
            self.fields["diagnoses"] = forms.MultipleChoiceField(
                label="Diagnoses that this is about", required=False, choices=offered,
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip
        when = self.fields["occurred_at"] = MomentField(label="Contact was at", required=False)
        when.shown = occurred_at

    def texts(self) -> list[forms.BoundField]:
        """Return the sections' fields in their order."""
        return [self[section.name] for section in SHAPES[self.note_type]]

    def dates(self) -> list[forms.BoundField]:
        """Return the fields of dates."""
        return [self[name] for name in DAYS if name in self.fields]

    @property
    def holds_words(self) -> bool:
        """Whether the texts can be kept: nothing is wrong but a day, which can stay as it stands."""
        return self.errors.keys() <= set(DAYS)

    def kept_as(self, version: int) -> None:
        """Say that the words are kept as this version, so that the page's next save goes on from there."""
        said = {name: self.data.getlist(name) for name in self.data}  # type: ignore[attr-defined]
        said |= {"version": [str(version)], "number": [str(self.page().number + 1)]}
        self.data = MultiValueDict(said)
        self.add_error(None, WORDS_KEPT)

    def about(self) -> list[UUID] | None:
        """Return the chosen diagnoses; None where none could be chosen."""
        if "diagnoses" not in self.fields:
            return None
        return [UUID(one) for one in self.cleaned_data["diagnoses"]]

    def sections(self) -> dict[str, str]:
        """Return the texts by name, with the line ends that people typed."""
        names = [section.name for section in SHAPES[self.note_type]]
        return {name: self.cleaned_data[name].replace("\r\n", "\n") for name in names}


class LabelForm(forms.Form):
    """The sensitivity labels of a note; a process note keeps its own whatever is chosen."""

    labels = forms.MultipleChoiceField(
        label="Sensitivity", required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(code, words) for code, words in LABELS.items() if code not in ("N", "PSYTHPN")],
    )  # fmt: skip


class ExportForm(forms.Form):
    """Why a person's signed notes leave as a file: of a list, so that no word waits in a session."""

    reason = forms.ChoiceField(
        label="What for", choices=list(EXPORTED_FOR.items()), widget=forms.RadioSelect,
        error_messages={"required": "Say why they leave."},
    )  # fmt: skip


class BlockForm(forms.Form):
    """A template or a phrase. Nothing may be put ready for what somebody says or thinks (domain 6.2)."""

    title = forms.CharField(max_length=60, widget=forms.TextInput({"class": "input", "autocomplete": "off"}))
    note_type = forms.ChoiceField(
        label="For", required=False, choices=[("", "A quick phrase for any note"), *NoteType.choices],
        widget=forms.Select({"class": "select"}), help_text="A template fills a note of its type.",
    )  # fmt: skip
    section = forms.ChoiceField(
        required=False, choices=[("objective", "Objective"), ("plan", "Plan"), ("free_text", "Free text")],
        widget=forms.Select({"class": "select"}), help_text="Where a template's text stands.",
    )  # fmt: skip
    text = forms.CharField(
        max_length=4_000, strip=False, widget=forms.Textarea(TEXT | {"rows": 5}),
        help_text="Never somebody's name or words: everybody's notes begin with it.",
    )  # fmt: skip
    is_shared = forms.BooleanField(label="For everybody in the organization", required=False)

    def sections(self) -> dict[str, str]:
        """Return the text under its section, a phrase's under `text`."""
        data = self.cleaned_data
        return {data["section"] or "free_text" if data["note_type"] else "text": data["text"]}

    def clean(self) -> dict[str, Any]:
        """Refuse a template whose note has no such section."""
        data = super().clean() or self.cleaned_data
        kind, place = data.get("note_type"), data.get("section") or "free_text"
        if kind and place not in takes_blocks(kind):
            self.add_error("section", "A note of this type has no such section.")
        return data
