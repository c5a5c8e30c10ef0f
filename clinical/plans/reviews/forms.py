"""Fields of a review; no writes here."""

from __future__ import annotations

from django import forms

from clinical.plans.forms import words_field
from clinical.plans.wording import DECISIONS


class ReviewForm(forms.Form):
    """What the person says, what you see, what was decided."""

    patient_view = words_field("How the person sees it", rows=4, most=4000)
    summary = words_field("What you see", rows=4, most=4000, required=False)
    decision = forms.ChoiceField(label="Decided", choices=list(DECISIONS.items()), widget=forms.RadioSelect)
