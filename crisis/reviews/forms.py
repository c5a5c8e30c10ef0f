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
