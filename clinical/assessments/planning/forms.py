"""Fields of a person's own schedule of a measure; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from clinical.assessments.planning.models import PlanReason
from cortex.ui.moments import DayField


class PlanForm(forms.Form):
    """Another interval, or a pause with or without an end, and why."""

    interval_days = forms.IntegerField(label="Every so many days", min_value=1, max_value=365, required=False)
    is_paused = forms.BooleanField(label="Pause it", required=False)
    paused_until = DayField(label="Until", required=False)
    reason = forms.ChoiceField(
        label="Why", choices=[("", "Choose"), *PlanReason.choices],
        error_messages={"required": "Choose why the schedule differs."},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for what would make it differ."""
        data = super().clean() or self.cleaned_data
        if not data.get("is_paused") and not data.get("interval_days") and not self.errors:
            self.add_error("interval_days", "Give another interval, or pause the measure.")
        return data
