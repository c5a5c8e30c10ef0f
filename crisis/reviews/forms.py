"""Fields of what came of a review item or a follow-up; no writes here."""

from __future__ import annotations

from django import forms

from crisis.reviews.actions import FOLLOW_UP_OUTCOMES, OUTCOMES

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
    """What came of a follow-up contact."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *((one, one.replace("_", " ").capitalize()) for one in FOLLOW_UP_OUTCOMES)],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose what came of it."},
    )
    field_order = ["outcome", "note"]
