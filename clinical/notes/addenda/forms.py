"""The field of an addendum, with which page saved what; no writes here."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms

from clinical.notes.forms import MOST_SAVES, TEXT
from clinical.notes.models import ADDENDUM
from clinical.notes.wording import SHAPES

(SHAPE,) = SHAPES[ADDENDUM]


class AddendumForm(forms.Form):
    """What is added to a signed note; what a page didn't say of its save is that of a first one."""

    version = forms.IntegerField(
        min_value=0, max_value=MOST_SAVES, required=False, widget=forms.HiddenInput, initial=0
    )
    spell = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)
    number = forms.IntegerField(
        min_value=1, max_value=MOST_SAVES, required=False, widget=forms.HiddenInput, initial=1
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
        data = self.cleaned_data
        page = {"version": data["version"] or 0, "spell": data["spell"], "number": data["number"] or 1}
        return page | {"text": self.typed()}
