"""Fields of what came of a review item; no writes here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from crisis.reviews.actions import OUTCOMES

PAPER_WORDS = (("reviewed", "Reviewed"), ("no_action_needed", "No action needed"))
CONTACT_WORDS = (
    ("contacted", "Reached"),
    ("tried", "Tried, nobody answered"),
    ("raised_alert", "Raised an alert"),
    ("no_action_needed", "Nobody has to be reached: say why"),
)
NOTE = forms.Textarea(attrs={"rows": 3, "class": "textarea", "maxlength": 4000})


def outcome_field(outcomes: Iterable[tuple[str, str]]) -> forms.ChoiceField:
    """Return the question of what came of a task, with these answers (value and words)."""
    return forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *outcomes],
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"required": "Choose what came of it."},
    )


class NoteForm(forms.Form):
    """A note that may be left empty."""

    note = forms.CharField(label="What happened", required=False, max_length=4000, widget=NOTE)


class ReviewDoneForm(NoteForm):
    """What came of a review item."""

    outcome = outcome_field((one, one.replace("_", " ").capitalize()) for one in OUTCOMES)
    field_order = ["outcome", "note"]


class PaperDoneForm(ReviewDoneForm):
    """What came of a task about no person, or of a reminder of what waits to be signed."""

    outcome = outcome_field(PAPER_WORDS)


class RiskReviewForm(ReviewDoneForm):
    """What came of a look at a person's level, and whether the level is right, as a clinician says it."""

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


class RiskLookForm(RiskReviewForm):
    """The same for whoever is no clinician: they may raise a level, and lower none."""

    level = forms.ChoiceField(
        label="The level",
        choices=[
            ("", "Not judged"),
            ("same", "Leave it as it is"),
            ("medium", "Raise to medium"),
            ("high", "Raise to high: raises an alert"),
            ("critical", "Raise to critical: raises an alert"),
        ],
        required=False,
        widget=forms.Select(attrs={"class": "select"}),
        help_text=(
            "Needed when you reviewed it. A level that you raise stays until a person changes it. Only a "
            "clinician says that it is lower."
        ),
    )


class FirstContactForm(ReviewDoneForm):
    """What came of the first try to reach somebody at medium; a try that nobody answered counts."""

    outcome = outcome_field(CONTACT_WORDS)

    def clean(self) -> dict[str, Any]:
        """Ask why nobody has to be reached."""
        data = super().clean() or self.cleaned_data
        if data.get("outcome") == "no_action_needed" and not data.get("note"):
            self.add_error("note", "Say why nobody has to be reached.")
        return data
