"""What a reader asks a timeline for, and what they say of a finding; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.timeline.models import Verdict
from clinical.timeline.registry import Cursor, kinds
from cortex.days import is_usual


class FilterForm(forms.Form):
    """Which kinds, only the pinned, and up to which day; anything that is none of it counts as not said."""

    kind = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    pinned = forms.BooleanField(required=False)
    until = forms.DateField(required=False)
    before = forms.CharField(required=False, max_length=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = list(kinds().items())  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        """Return what was asked for: kinds, pinned, until, before."""
        self.is_valid()
        data = self.cleaned_data
        until = data.get("until")
        return {
            "kinds": data.get("kind") or [],
            "pinned": bool(data.get("pinned")),
            "until": until if until is not None and is_usual(until) else None,
            "before": Cursor.read(data.get("before") or ""),
        }


class FindingForm(forms.Form):
    """A verdict on a finding, with words or without."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    comment = forms.CharField(
        label="Comment", required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "textarea", "maxlength": 2000}),
    )  # fmt: skip
