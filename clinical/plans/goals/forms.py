"""Fields of goals and readings; no writes here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from clinical.plans.forms import day_field, line_field, words_field
from clinical.plans.goals.smart import Scale, gaps
from clinical.plans.models import MeasureType
from clinical.plans.wording import CONCERNS

HIGHEST = 1_000_000


class GoalForm(forms.Form):
    """A SMART goal: every part is asked for; which numbers are needed depends on how it is measured.

    None of `one_of` is optional by itself: each is needed for one way to measure, or one of two is.
    """

    one_of = ("instrument", "metric", "baseline", "target", "window_days", "steps", "diagnosis")
    specific = words_field(
        "What exactly", rows=2, help_text="So that both of you would know it when you see it."
    )
    measure_type = forms.ChoiceField(label="Measured by", choices=MeasureType.choices)
    instrument = forms.ChoiceField(label="Measure", required=False)
    metric = line_field(
        "What is counted",
        required=False,
        help_text="Hours of sleep, walks, days at work. A measure from the list needs none.",
    )
    baseline = forms.FloatField(label="Today", required=False, min_value=-HIGHEST, max_value=HIGHEST)
    target = forms.FloatField(label="Target", required=False, min_value=-HIGHEST, max_value=HIGHEST)
    window_days = forms.IntegerField(label="In how many days", required=False, min_value=1, max_value=90)
    steps = words_field(
        "Milestones", rows=4, most=2400, required=False,
        help_text="One on each line. A weight from 1 to 5 may follow a bar: See the headteacher | 2",
    )  # fmt: skip
    achievable_note = words_field("Why it can be reached", rows=2, help_text="What they have for it already.")
    diagnosis = forms.ChoiceField(label="Serves the diagnosis", required=False)
    concerns = forms.MultipleChoiceField(
        label="Or these concerns", choices=list(CONCERNS.items()), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    due_date = day_field("By")
    weight = forms.TypedChoiceField(
        label="Weight", coerce=int, initial=3,
        choices=[(1, "1, minor"), (2, "2"), (3, "3"), (4, "4"), (5, "5, what matters most")],
    )  # fmt: skip

    def __init__(
        self, *args: Any, instruments: list[tuple[str, str]], diagnoses: list[tuple[str, str]],
        scales: Mapping[str, Scale], after: date, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.scales, self.after = scales, after
        self.fields["instrument"].choices = [("", "None: I count something else"), *instruments]  # type: ignore[attr-defined]
        self.fields["diagnosis"].choices = [("", "None"), *diagnoses]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say all at once what the goal lacks, each at its field."""
        data = super().clean() or self.cleaned_data
        scale = self.scales.get(data.get("instrument") or "")
        for gap in gaps(data, data.get("steps") or [], scale, self.after):
            self.add_error(gap.field, gap.words)
        return data

    def clean_steps(self) -> list[tuple[str, int]]:
        """Return the milestones as (what, weight)."""
        found: list[tuple[str, int]] = []
        for line in self.cleaned_data["steps"].splitlines():
            title, _, weight = line.rpartition("|") if "|" in line else (line, "", "1")
            title, weight = title.strip(), weight.strip()
            if not title:
                continue
            if weight not in ("1", "2", "3", "4", "5"):
                raise forms.ValidationError(f"The weight behind the bar is 1 to 5, not {weight[:12]}.")
            if len(title) > 200:
                raise forms.ValidationError("A milestone has 200 characters at most.")
            if title in dict(found):
                raise forms.ValidationError(f"Twice the same: {title[:60]}.")
            found.append((title, int(weight)))
        return found


class ReadingForm(forms.Form):
    """A reading, or how many times."""

    value = forms.FloatField(label="Value", min_value=-HIGHEST, max_value=HIGHEST)
    observed_on = day_field("On")
    session_id = forms.TypedChoiceField(label="In the session", coerce=UUID, empty_value=None, required=False)
    note = words_field("Note", rows=2, required=False)

    def __init__(self, *args: Any, sessions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["session_id"].choices = [("", "Outside of sessions"), *sessions]  # type: ignore[attr-defined]
