"""Fields of an intervention; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.plans.forms import words_field
from clinical.plans.models import EvidenceLevel, Frequency
from clinical.plans.wording import INTERVENTIONS


class InterventionForm(forms.Form):
    """A coded intervention: what, how often, how many sessions, for which goals."""

    code = forms.ChoiceField(
        label="What is done",
        choices=[("", "Choose"), *((key, one.title) for key, one in INTERVENTIONS.items())],
    )
    frequency = forms.ChoiceField(label="How often", choices=Frequency.choices, initial=Frequency.WEEKLY)
    sessions_planned = forms.IntegerField(
        label="Sessions planned", required=False, min_value=1, max_value=200
    )
    evidence_level = forms.ChoiceField(
        label="Evidence",
        choices=EvidenceLevel.choices,
        help_text="For this person's difficulty, as you judge it.",
    )
    goals = forms.MultipleChoiceField(label="For", required=False, widget=forms.CheckboxSelectMultiple)
    note = words_field("Note", rows=2, required=False)

    def __init__(self, *args: Any, goals: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if goals:
            self.fields["goals"].choices = goals  # type: ignore[attr-defined]
        else:
            del self.fields["goals"]
