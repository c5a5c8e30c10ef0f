"""Fields of the door and of its review; no writes here."""

from __future__ import annotations

from django import forms

from patients.breakglass.actions import HOURS, MOST_HOURS, SHORTEST_WORDS
from patients.codes import GlassReason, GlassVerdict

UNKEPT = {"autocomplete": "off"}
WORDS = {"rows": 4, "class": "textarea", "maxlength": 2000} | UNKEPT


class BreakGlassForm(forms.Form):
    """Whom, why, for how long: nobody is looked for before the reason holds."""

    asked = forms.CharField(
        label="Whose chart", max_length=254, widget=forms.TextInput(attrs={"class": "input"} | UNKEPT),
        help_text="The exact pseudonym, telephone number or e-mail address. Nothing is listed or guessed.",
        error_messages={"required": "Say whose chart."},
    )  # fmt: skip
    reason_code = forms.ChoiceField(
        label="Why it can't wait", choices=GlassReason.choices, widget=forms.RadioSelect,
        error_messages={"required": "Choose the reason."},
    )  # fmt: skip
    reason = forms.CharField(
        label="In your words", min_length=SHORTEST_WORDS, max_length=2000, widget=forms.Textarea(attrs=WORDS),
        help_text="What is happening, and why the care team can't act. Compliance reads it within 72 hours.",
        error_messages={"required": "Say in a sentence why it can't wait: it is reviewed."},
    )  # fmt: skip
    hours = forms.TypedChoiceField(
        label="For how long", coerce=int, initial=HOURS, widget=forms.Select(attrs={"class": "select"}),
        choices=[(one, f"{one} hours") for one in (1, HOURS, 8, MOST_HOURS)],
    )  # fmt: skip

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["hours"].choices = [(1, "1 hour"), *self.fields["hours"].choices[1:]]  # type: ignore[attr-defined]


class VerdictForm(forms.Form):
    """What compliance found."""

    verdict = forms.ChoiceField(
        label="Was it appropriate", choices=GlassVerdict.choices, widget=forms.RadioSelect,
        error_messages={"required": "Say whether it was appropriate."},
    )  # fmt: skip
    note = forms.CharField(
        label="What you found", max_length=2000, widget=forms.Textarea(attrs=WORDS),
        error_messages={"required": "Say what you found."},
    )  # fmt: skip


class IncidentForm(forms.Form):
    """What was done about an inappropriate opening."""

    note = forms.CharField(
        label="What was done", max_length=2000, widget=forms.Textarea(attrs=WORDS),
        help_text="The incident is closed with this.", error_messages={"required": "Say what was done."},
    )  # fmt: skip
