"""Fields of an allergy; no writes here."""

from __future__ import annotations

from django import forms

from clinical.plans.allergies.models import (
    SURE,
    AllergyKind,
    AllergySource,
    Category,
    ClinicalStatus,
    Criticality,
)
from clinical.plans.forms import day_field, line_field, words_field


class AllergyForm(forms.Form):
    """What it is of, what it does, how bad and how sure it is, as the person or a doctor says."""

    substance = line_field("What", 160, help_text="The substance alone: it stands in the banner.")
    kind = forms.ChoiceField(
        label="Kind", choices=AllergyKind.choices,
        help_text="Adverse reaction: nobody knows yet which of the two.",
    )  # fmt: skip
    category = forms.ChoiceField(label="Substance is", choices=Category.choices)
    criticality = forms.ChoiceField(
        label="Danger the next time", choices=Criticality.choices, initial=Criticality.UNABLE
    )
    verification = forms.ChoiceField(
        label="How sure", choices=[(one.value, one.label) for one in SURE],
        help_text="What is refuted stays on the list and leaves the banner.",
    )  # fmt: skip
    clinical_status = forms.ChoiceField(label="Status", choices=ClinicalStatus.choices)
    source = forms.ChoiceField(label="Who says so", choices=AllergySource.choices)
    since = day_field("Since", required=False)
    reaction = words_field("What happens", rows=2, most=2000, required=False)
