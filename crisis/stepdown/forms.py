"""Fields of a step down from critical: why, and what the second reader says; no writes here."""

from __future__ import annotations

from django import forms

NOTE = forms.Textarea(attrs={"rows": 3, "class": "textarea", "maxlength": 1000})


class AskForm(forms.Form):
    """Why high is enough."""

    reason = forms.CharField(
        label="Why high is enough now",
        max_length=1000,
        widget=NOTE,
        help_text="What you saw and what was agreed. Where the C-SSRS is high or missing, say why it may be.",
        error_messages={"required": "Say why high is enough: a second reader relies on it."},
    )


class DecideForm(forms.Form):
    """A second reader's decision."""

    agreed = forms.ChoiceField(
        label="Do you agree",
        choices=[("yes", "Agree: lower it to high"), ("no", "Don't agree: it stays critical")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose yes or no."},
    )
    note = forms.CharField(
        label="Why you decide so",
        max_length=1000,
        widget=NOTE,
        help_text="What you saw yourself. Whoever asked reads it.",
        error_messages={"required": "Write a sentence about what you saw."},
    )
