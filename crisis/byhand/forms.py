"""Fields of an alert that a member of staff raises; no writes here."""

from __future__ import annotations

from django import forms

from crisis.alerts.models import Kind, Level

NOTE = forms.Textarea(attrs={"rows": 4, "class": "textarea", "maxlength": 4000})


class LinkForm(forms.Form):
    """Who a provisional person turned out to be."""

    pseudonym = forms.CharField(
        label="Number of the person on record",
        max_length=24,
        widget=forms.TextInput(attrs={"class": "input"}),
        error_messages={"required": "Type the number, for instance CX-20973481."},
    )


class HandForm(forms.Form):
    """An alert that staff raise: for somebody on record, or for a person who is not yet."""

    pseudonym = forms.CharField(
        label="Person on record",
        required=False,
        max_length=24,
        widget=forms.TextInput(attrs={"class": "input"}),
        help_text="Their number, for instance CX-20973. Leave it empty when they are not on record.",
    )
    level = forms.ChoiceField(
        label="How urgent",
        choices=[("", "Choose"), *Level.choices],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose high or critical."},
    )
    kind = forms.ChoiceField(
        label="What it is about",
        choices=[(kind.value, kind.label) for kind in list(Kind)[:6]],
        widget=forms.Select(attrs={"class": "select"}),
    )
    third_party = forms.BooleanField(
        label="Somebody else told us",
        required=False,
        widget=forms.CheckboxInput,
        help_text="A relative, a friend, a teacher, the police.",
    )
    note = forms.CharField(
        label="What you were told, and by whom",
        max_length=4000,
        widget=NOTE,
        help_text="With a number to call back. It is sealed and opens with the alert.",
        error_messages={"required": "Write what you were told and by whom."},
    )
