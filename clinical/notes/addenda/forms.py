"""The field of an addendum, with which page saved what; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.notes.forms import TEXT
from clinical.notes.models import ADDENDUM
from clinical.notes.wording import SHAPES
from cortex.ui.saving import MOST_SAVES, SpellForm

(SHAPE,) = SHAPES[ADDENDUM]


class AddendumForm(SpellForm):
    """What is added to a signed note; what a page didn't say of its save is that of a first one."""

    version = forms.IntegerField(
        min_value=0, max_value=MOST_SAVES, required=False, widget=forms.HiddenInput, initial=0
    )
    text = forms.CharField(
        label=SHAPE.label, help_text=SHAPE.hint, required=False, strip=False,
        widget=forms.Textarea(TEXT | {"rows": SHAPE.rows}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = "n_%s"
        super().__init__(*args, **kwargs)

    def typed(self) -> str:
        """Return the text with the line ends that people typed."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def told(self) -> dict[str, Any]:
        """Return what the action is told of this save."""
        page, version = self.page(), self.cleaned_data["version"] or 0
        return {"version": version, "spell": page.spell, "number": page.number, "text": self.typed()}
