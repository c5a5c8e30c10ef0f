"""Fields of a decision on a welfare check; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from cortex.ui.moments import MomentField
from crisis.welfare.actions import Verdict
from crisis.welfare.models import Decision

LINES = {"rows": 3, "class": "textarea", "maxlength": 2000}


class DecideForm(forms.Form):
    """Whether a welfare check is sent, who was asked to go, or until when it is tried again."""

    decision = forms.ChoiceField(
        label="What is done",
        choices=Decision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is done."},
    )
    reference = forms.CharField(
        label="Who was asked to go",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text="Needed when you send one: a name, a number or a reference. You ring them back.",
    )
    again_by = MomentField(
        label="Try again until",
        required=False,
        help_text="Needed when it is tried again first: within 24 hours. Then you are asked once more.",
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs=LINES),
        help_text="Needed when none is sent. It is sealed, and the next reader relies on it.",
    )

    one_of = ("reference", "again_by", "reason")  # each is needed for one of the decisions

    def clean(self) -> dict[str, Any]:
        """Ask for what belongs to a decision."""
        data = super().clean() or self.cleaned_data
        needed = {
            Decision.SEND: ("reference", "Write who was asked to go: a name, a number or a reference."),
            Decision.DONT_SEND: ("reason", "Say why none is sent."),
            Decision.TRY_AGAIN: ("again_by", "Say until when it is tried again."),
        }
        name, message = needed.get(data.get("decision", ""), ("", ""))
        if name and not data.get(name) and name not in self.errors:
            self.add_error(name, message)
        return data

    def verdict(self) -> Verdict:
        """Return what was decided."""
        data = self.cleaned_data
        return Verdict(data["decision"], data["reason"], data["reference"], data["again_by"])
