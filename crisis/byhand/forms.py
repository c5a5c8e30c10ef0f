"""Fields of an alert that a member of staff raises; no writes here."""

from __future__ import annotations

from uuid import uuid4

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
    reason = forms.CharField(
        label="How you know",
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "input"}),
        error_messages={"required": "Say how you know who it is."},
    )


class UnlinkForm(forms.Form):
    """Why a provisional person was not who they were said to be."""

    reason = forms.CharField(
        label="Why it is not them",
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "input"}),
        error_messages={"required": "Say why it was not them."},
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
    given_name = forms.CharField(
        label="Their name, if you know it",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    phone = forms.CharField(
        label="Their own number",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "tel"}),
    )
    caller = forms.CharField(
        label="Who called",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"class": "input"}),
        help_text="Name and relation, when it was not the person themself.",
    )
    caller_phone = forms.CharField(
        label="Number to call them back",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "tel"}),
    )
    level = forms.ChoiceField(
        label="How urgent",
        choices=[("", "Choose"), *Level.choices],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose high or critical."},
    )
    kind = forms.ChoiceField(
        label="What it is about",
        choices=[("", "Choose"), *((kind.value, kind.label) for kind in list(Kind)[:6])],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose what it is about."},
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
        help_text="It is sealed and opens with the alert.",
        error_messages={"required": "Write what you were told and by whom."},
    )
    # One filled-in form is one alert, however often its button is pressed.
    token = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
