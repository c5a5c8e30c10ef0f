"""The name under which somebody keeps a view; no writes here."""

from __future__ import annotations

from django import forms


class ViewForm(forms.Form):
    """What a view is called."""

    name = forms.CharField(
        label="Name of this view", max_length=60, error_messages={"required": "Give the view a name."}
    )
