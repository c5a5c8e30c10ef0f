"""Fields of what came of a review item or a follow-up; no writes here."""

from __future__ import annotations

from typing import Any

from django import forms

from crisis.reviews.actions import FOLLOW_UP_OUTCOMES, OUTCOMES
from crisis.reviews.models import ContactChannel

NOTE = forms.Textarea(attrs={"rows": 3, "class": "textarea", "maxlength": 4000})


class NoteForm(forms.Form):
    """A note that may be left empty."""

    note = forms.CharField(label="What happened", required=False, max_length=4000, widget=NOTE)


class ReviewDoneForm(NoteForm):
    """What came of a review item."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *((one, one.replace("_", " ").capitalize()) for one in OUTCOMES)],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose what came of it."},
    )
    field_order = ["outcome", "note"]


class RiskReviewForm(ReviewDoneForm):
    """What came of a look at a person's level, and whether the level is right."""

    level = forms.ChoiceField(
        label="The level",
        choices=[
            ("", "Not judged"),
            ("same", "Right: leave it to the signals"),
            ("low", "Set to low"),
            ("medium", "Set to medium"),
            ("high", "Set to high: raises an alert"),
            ("critical", "Set to critical: raises an alert"),
        ],
        required=False,
        widget=forms.Select(attrs={"class": "select"}),
        help_text=(
            "Needed when you reviewed it. A level that you raise stays until a person changes it. A lower "
            "one needs a reason below, goes one step down, and holds for 7 days or until new signals."
        ),
    )
    field_order = ["outcome", "level", "note"]

    def clean(self) -> dict[str, Any]:
        """Ask for the level when it was reviewed."""
        data = super().clean() or self.cleaned_data
        if data.get("outcome") == "reviewed" and not data.get("level"):
            self.add_error("level", "Say whether the level is right.")
        return data


class FollowUpForm(NoteForm):
    """What came of a follow-up contact, or of a try that nobody answered."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *((one, one.replace("_", " ").capitalize()) for one in FOLLOW_UP_OUTCOMES)],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose what came of it."},
    )
    channel = forms.ChoiceField(
        label="How",
        choices=[("", "Choose"), *ContactChannel.choices],
        required=False,
        widget=forms.Select(attrs={"class": "select"}),
        help_text="Needed when nobody answered: the next step depends on it.",
    )
    field_order = ["outcome", "channel", "note"]

    def clean(self) -> dict[str, Any]:
        """Ask how somebody tried when nobody answered."""
        data = super().clean() or self.cleaned_data
        if data.get("outcome") == "no_answer" and not data.get("channel"):
            self.add_error("channel", "Say how you tried.")
        return data
