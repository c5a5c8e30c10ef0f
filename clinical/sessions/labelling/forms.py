"""Fields of a session's labels; no writes here."""

from __future__ import annotations

from django import forms
from django.forms.boundfield import BoundWidget

from clinical.notes.wording import LABELS
from clinical.sessions.labels import OWN_ALONE

# What somebody may set. A psychotherapy label comes with the session alone, and stays.
OFFERED = {code: words for code, words in LABELS.items() if code not in ("N", "PSYTHPN")}


class LabelForm(forms.Form):
    """The sensitivity labels of a session, those that stood when it was drawn, and what was asked."""

    labels = forms.MultipleChoiceField(
        label="Labels", required=False, choices=list(OFFERED.items()), widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose labels of the list."},
    )  # fmt: skip
    seen = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    told = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)

    def codes(self, name: str) -> list[str]:
        """Return the codes in one of the hidden fields."""
        return str(self.cleaned_data[name]).split()

    def boxes(self, *, has_run: bool) -> list[BoundWidget]:
        """Return the boxes to tick; nobody is offered to shut out everybody where nobody ran a session."""
        return [one for one in self["labels"] if has_run or one.data["value"] != OWN_ALONE]
