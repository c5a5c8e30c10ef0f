"""The field of an exception."""

from __future__ import annotations

from django import forms


class ExceptionForm(forms.Form):
    """What the danger is."""

    reason = forms.CharField(
        label="What the danger is", max_length=2000,
        widget=forms.Textarea({"class": "textarea", "rows": 3, "autocomplete": "off"}),
        help_text="Why it can't wait for the person's word. A supervisor reads it within 24 hours.",
        error_messages={"required": "Say in a sentence what the danger is: it is read."},
    )  # fmt: skip
