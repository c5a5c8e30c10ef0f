"""Fields of billing: what a list is narrowed to, and what an appointment is billed as."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.scheduling.billing.models import LineStatus
from clinical.scheduling.billing.queries import Wanted
from cortex.ui.moments import DayField

DAY = {"type": "date", "class": "input"}


class FilterForm(forms.Form):
    """What the list and the file hold; codes and days alone, so it may stand in an address."""

    since = DayField(label="From", required=False, widget=forms.DateInput(DAY, "%Y-%m-%d"))
    until = DayField(label="Until", required=False, widget=forms.DateInput(DAY, "%Y-%m-%d"))
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "All"), *LineStatus.choices],
        widget=forms.Select({"class": "select"}),
    )  # fmt: skip
    code = forms.RegexField(
        r"\A[A-Za-z0-9_.-]{1,16}\Z", label="Code", required=False,
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
    )  # fmt: skip
    only_new = forms.BooleanField(label="Not exported yet", required=False)

    def wanted(self) -> Wanted:
        """Return the choice; what can't be read narrows nothing."""
        self.is_valid()
        data: dict[str, Any] = self.cleaned_data
        return Wanted(
            data.get("since"), data.get("until"), data.get("status") or "", data.get("code") or "",
            bool(data.get("only_new")),
        )  # fmt: skip


class BillForm(forms.Form):
    """The minutes that a sitting took, and a code in place of the suggested one."""

    minutes = forms.IntegerField(
        label="Minutes", min_value=0, max_value=1440, required=False,
        widget=forms.NumberInput({"class": "input", "inputmode": "numeric"}),
    )  # fmt: skip
    code = forms.RegexField(r"\A[A-Za-z0-9_.-]{1,16}\Z", required=False)
