"""Forms that a script saves as somebody types: their hidden fields, and what the script hears."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django import forms
from django.http import JsonResponse
from django.utils import timezone

from cortex.spells import Page

# One less than its column holds: the next save counts one more.
MOST_SAVES = 2**31 - 2


class SpellForm(forms.Form):
    """A form that says which save of which open page it is; one that doesn't is a page's first."""

    spell = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)
    number = forms.IntegerField(
        min_value=1, max_value=MOST_SAVES, required=False, widget=forms.HiddenInput, initial=1
    )

    def page(self) -> Page:
        """Return which save this is."""
        spell, number = self.cleaned_data["spell"], self.cleaned_data["number"] or 1
        return Page(spell, number) if spell else Page(number=number)


def saved_json(version: int | str, saved_at: datetime) -> JsonResponse:
    """Tell a script which version its save became, and when."""
    return JsonResponse({"version": version, "at": f"{timezone.localtime(saved_at):%H:%M:%S}"})


def refused_json(form: forms.BaseForm, status: int, kept: int | None = None) -> JsonResponse:
    """Tell a script what is wrong with what it sent; the words stand in its page.

    `kept` is the version as which they were saved all the same.
    """
    first = [*form.non_field_errors(), *(one for name in form.fields for one in form.errors.get(name, ()))]
    told = {} if kept is None else {"version": kept}
    return JsonResponse({"message": " ".join(map(str, first))} | told, status=status)
