"""Fields of neural audio: what forbids it, the profile's levels and bounds, and the band; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.sessions.neural.contraindications import ANSWERS, QUESTIONS
from patients.sessions.neural import MOST_HZ, USUAL_HZ, Band

SELECT = {"class": "select"}


class CheckForm(forms.Form):
    """What was asked; an answer that nobody has is "not known", and forbids."""

    def __init__(self, *args: Any, answers: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, words in QUESTIONS.items():
            self.fields[key] = forms.ChoiceField(
                label=words, choices=ANSWERS, initial=(answers or {}).get(key, "unknown"),
                widget=forms.Select(attrs=SELECT),
            )  # fmt: skip


class BandForm(forms.Form):
    """The band that is assigned."""

    band = forms.ChoiceField(label="Band", choices=Band.choices, widget=forms.Select(attrs=SELECT))


class ProfileForm(forms.Form):
    """Levels and bounds; an empty bound is the usual one."""

    sensitivity_level = forms.IntegerField(label="Sensitivity, 1-10", min_value=1, max_value=10)
    volume_level = forms.IntegerField(label="Volume, 0-100", min_value=0, max_value=100)
    preferred_hz = forms.FloatField(label="Preferred, Hz", required=False, min_value=0, max_value=MOST_HZ)
    optimal_transition_seconds = forms.IntegerField(
        label="Transition, seconds", required=False, min_value=0, max_value=86_400
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for band, (low, high) in USUAL_HZ.items():
            for end, usual in (("min", low), ("max", high)):
                self.fields[f"{band}_{end}_hz"] = forms.FloatField(
                    label=f"{band.capitalize()} {'from' if end == 'min' else 'to'}, Hz", required=False,
                    min_value=0, max_value=MOST_HZ,
                    widget=forms.NumberInput(attrs={"placeholder": f"{usual:g}", "step": "any"}),
                )  # fmt: skip
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")
