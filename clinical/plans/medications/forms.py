"""Fields of a medication; no writes here."""

from __future__ import annotations

from django import forms

from clinical.notes.wording import LABELS
from clinical.plans.forms import day_field, line_field, words_field
from clinical.plans.medications.models import Adherence, MedicationSource, MedicationStatus

ROUTES = (
    ("", "Not said"), ("oral", "By mouth"), ("injection", "Injection"), ("depot", "Depot injection"),
    ("patch", "Patch"), ("inhaled", "Inhaled"), ("sublingual", "Under the tongue"), ("other", "Other"),
)  # fmt: skip
UNITS = ("", "mg", "g", "microgram", "ml", "IU", "tablet", "drop")


class MedicationForm(forms.Form):
    """What is taken, as the person or their doctor says."""

    name = line_field("Name", 160)
    source = forms.ChoiceField(label="Who says so", choices=MedicationSource.choices)
    status = forms.ChoiceField(label="Status", choices=MedicationStatus.choices)
    dose = line_field("Dose", 40, required=False)
    unit = forms.ChoiceField(
        label="Unit", required=False, choices=[(one, one or "Not said") for one in UNITS]
    )
    route = forms.ChoiceField(label="How", required=False, choices=ROUTES)
    frequency = line_field("How often", 80, required=False)
    prn = forms.BooleanField(label="Only when needed", required=False)
    start = day_field("Since", required=False)
    stop = day_field("Until", required=False)
    prescriber = line_field("Prescribed by", 160, required=False)
    indication = line_field("For", 200, required=False)
    adherence = forms.ChoiceField(label="Taken as agreed", choices=Adherence.choices)
    side_effects = words_field("Side effects", rows=2, most=2000, required=False)
    code_system = forms.ChoiceField(
        label="Code system", required=False, choices=[("", "None"), ("rxnorm", "RxNorm"), ("atc", "ATC")]
    )
    code = forms.RegexField(label="Code", regex=r"\A[A-Za-z0-9]{1,16}\Z", required=False)
    lethal_quantity = forms.BooleanField(
        label="Dangerous in overdose", required=False,
        help_text="Set by itself for classes that poison centres name most. It prompts for means safety and "
        "never counts in the risk score.",
    )  # fmt: skip
    labels = forms.MultipleChoiceField(
        label="Sensitivity", required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(code, words) for code, words in LABELS.items() if code not in ("N", "PSYTHPN")],
        help_text="Whom a label shuts out sees that there is a medication, not which.",
    )  # fmt: skip
