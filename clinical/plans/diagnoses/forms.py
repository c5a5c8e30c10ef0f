"""Fields of a diagnosis; no writes here."""

from __future__ import annotations

from django import forms

from clinical.plans.diagnoses.models import DiagnosisStatus
from clinical.plans.forms import day_field, words_field


class DiagnosisForm(forms.Form):
    """How sure, since when, and a note."""

    status = forms.ChoiceField(label="How sure", choices=DiagnosisStatus.choices)
    onset = day_field("Since", required=False)
    note = words_field("Note", rows=2, most=2000, required=False)


class AddDiagnosisForm(DiagnosisForm):
    """A new one: its code too."""

    code = forms.CharField(
        label="Code or words", max_length=80,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        ),
        error_messages={"required": "Search, then choose a code."},
    )  # fmt: skip
    field_order = ["code", "status", "onset", "note"]
