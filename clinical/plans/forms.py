"""Fields of a plan, of its signature and of a supervisor's word; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from clinical.plans.days import BEYOND, FIRST, LAST


def day_field(label: str, **kwargs: Any) -> forms.DateField:
    """Return a field for a day that somebody may mean, with the browser's own picker."""
    bounds = {"min": f"{FIRST:%Y-%m-%d}", "max": f"{LAST:%Y-%m-%d}"}
    widget = forms.DateInput({"type": "date"} | bounds, "%Y-%m-%d")
    within = [MinValueValidator(FIRST, BEYOND), MaxValueValidator(LAST, BEYOND)]
    return forms.DateField(label=label, widget=widget, validators=within, **kwargs)


def words_field(label: str, rows: int = 3, most: int = 1000, **kwargs: Any) -> forms.CharField:
    """Return a field for free words about a person; the browser keeps none of them."""
    widget = forms.Textarea(attrs={"rows": rows, "maxlength": most, "autocomplete": "off"})
    return forms.CharField(label=label, max_length=most, widget=widget, **kwargs)


def line_field(label: str, most: int = 120, **kwargs: Any) -> forms.CharField:
    """Return a field for a few words about a person; the browser keeps none of them."""
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=most, widget=widget, **kwargs)


class PlanForm(forms.Form):
    """What a plan says of itself."""

    presenting_problem = words_field(
        "What brings the person here", rows=4, most=4000, help_text="In their words where you can."
    )
    formulation = words_field(
        "Formulation", rows=6, most=8000, required=False,
        help_text="How you understand it: what led there, what keeps it going, what helps.",
    )  # fmt: skip
    start = day_field("Start")
    target_end = day_field("Planned end")
    review_interval_days = forms.IntegerField(
        label="Days between reviews", required=False, min_value=1, max_value=180,
        help_text="Empty: by level, from 7 days at critical to 90 at low. A shorter span of your own holds.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse an end that isn't behind the start."""
        data = super().clean() or self.cleaned_data
        start, end = data.get("start"), data.get("target_end")
        if start and end and end <= start:
            self.add_error("target_end", "The planned end lies after the start.")
        return data


class SignForm(forms.Form):
    """Whether the person has agreed."""

    patient_agreed = forms.BooleanField(
        label="The person has read or heard this plan and agrees to it", required=False
    )


class ApprovalForm(forms.Form):
    """A supervisor's word on a signed version."""

    approved = forms.ChoiceField(
        label="Your word", choices=[("yes", "Approve"), ("no", "Give back")], widget=forms.RadioSelect
    )
    note = words_field(
        "What is missing", most=2000, required=False, help_text="Needed when you give it back."
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a reason when the plan is given back."""
        data = super().clean() or self.cleaned_data
        if data.get("approved") == "no" and not (data.get("note") or "").strip():
            self.add_error("note", "Say what is missing.")
        return data
