"""Fields and messages of the commands on an alert; no writes here."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django import forms

from cortex.clock import steady_now
from cortex.ui.moments import MomentField
from crisis.alerts.models import Disposition, Verdict
from crisis.casework.actions import NOTHING_WRITTEN
from crisis.endings.actions import Ending
from crisis.reviews.contacts import proposed_first

NOTE = forms.Textarea(attrs={"rows": 3, "class": "textarea", "maxlength": 4000})
NO_DATE = "no_follow_up_reason"


class NoteForm(forms.Form):
    """A note that may be left empty, for the person's other alerts too unless its writer says no."""

    note = forms.CharField(label="What happened", required=False, max_length=4000, widget=NOTE)
    also = forms.BooleanField(
        label="Log it on their other alerts that you own, too",
        required=False,
        initial=True,
        widget=forms.CheckboxInput,
    )

    def say_for(self, others: str) -> None:
        """Say on which other alerts the entry will stand; with none the question is not asked."""
        if others:
            self.fields["also"].help_text = f"On this alert and on: {others}."
        else:
            del self.fields["also"]


class ContactForm(NoteForm):
    """An attempt or a contact: how, and what happened."""

    channel = forms.ChoiceField(
        label="How",
        choices=[
            ("phone", "Phone"),
            ("app", "In the app"),
            ("chat", "Chat"),
            ("sms", "Text message"),
            ("in_person", "In person"),
        ],
        widget=forms.Select(attrs={"class": "select"}),
    )
    field_order = ["channel", "note", "also"]


class PlainNoteForm(forms.Form):
    """A note on an alert."""

    note = forms.CharField(
        label="Note",
        max_length=4000,
        widget=NOTE,
        help_text="It is sealed, stands on the timeline with your name, and cannot be edited.",
        error_messages={"required": NOTHING_WRITTEN},
    )


class ReasonForm(forms.Form):
    """A reason that is needed."""

    reason = forms.CharField(
        label="Why",
        max_length=1000,
        widget=NOTE,
        help_text="One or two sentences. It stands on the timeline.",
        error_messages={"required": "Say why, in a few words."},
    )


class SeenForm(forms.Form):
    """A decision about an alert as it stood at a feed number; what came in since is told before it counts."""

    seen = forms.IntegerField(
        min_value=0,
        max_value=2**63 - 1,
        widget=forms.HiddenInput,
        error_messages={"required": "Open the form from the alert's page."},
    )


class VerdictForm(SeenForm):
    """What an alert turned out to be, and why."""

    verdict = forms.ChoiceField(
        label="What it turned out to be",
        choices=[("", "Choose"), *Verdict.choices],
        widget=forms.Select(attrs={"class": "select"}),
        help_text="For the monthly review of the rules; it never tunes them by itself.",
        error_messages={"required": "Choose what it turned out to be."},
    )
    notes = forms.CharField(
        label="Closing note",
        max_length=4000,
        widget=NOTE,
        help_text="What changed, what was agreed, what happens next.",
        error_messages={"required": "Write what was agreed and what happens next."},
    )

    def ending(self) -> Ending:
        """Return the cleaned fields as the action takes them."""
        return Ending(verdict=self.cleaned_data["verdict"], notes=self.cleaned_data["notes"])


class FalseAlarmForm(VerdictForm):
    """Why an alert was a false alarm; a second reader of a critical one reads just this."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        notes = self.fields["notes"]
        notes.label = "Why it was a false alarm"
        notes.help_text = "What you saw or heard that says so. Whoever reads it next decides by it."
        notes.error_messages["required"] = "Say why this was a false alarm."


class ResolveForm(VerdictForm):
    """The outcome of a crisis, with the first follow-up or the reason why there is none."""

    disposition = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *Disposition.choices],
        widget=forms.Select(attrs={"class": "select"}),
        help_text="Not a crisis and could not be located need a second reader.",
        error_messages={"required": "Choose how it ended."},
    )
    follow_up_at = MomentField(
        label="First follow-up",
        required=False,
        help_text="A call or message that a person answers. Without one, say why below.",
    )
    no_follow_up_reason = forms.CharField(
        label="Why there is no follow-up",
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    field_order = ["disposition", "verdict", "notes", "follow_up_at", NO_DATE]
    one_of = ("follow_up_at", NO_DATE)  # one of the two is needed, so neither is called optional

    def propose(self, zone: tzinfo) -> None:
        """Propose a first follow-up by day, where the service is."""
        self.fields["follow_up_at"].initial = proposed_first(steady_now(), zone)

    def clean(self) -> dict[str, Any]:
        """Ask for a date ahead, or a reason."""
        data = super().clean() or self.cleaned_data
        at: datetime | None = data.get("follow_up_at")
        if data.get("disposition") == Disposition.DECEASED:
            return data
        if at is None and not data.get(NO_DATE) and "follow_up_at" not in self.errors:
            self.add_error("follow_up_at", "Give a date for the first follow-up, or say why there is none.")
        if at is not None and at <= steady_now():
            self.add_error("follow_up_at", "The follow-up must lie ahead.")
        return data

    def ending(self) -> Ending:
        """Return the cleaned fields as the action takes them; a reason wins over the suggested date."""
        data = self.cleaned_data
        without = data[NO_DATE].strip()
        return Ending(
            disposition=data["disposition"],
            verdict=data["verdict"],
            notes=data["notes"],
            follow_up_at=None if without else data["follow_up_at"],
            no_follow_up_reason=without,
        )


class IncidentForm(SeenForm):
    """How an incident about nobody ended: there is no outcome of a person, and nobody to follow up."""

    notes = forms.CharField(
        label="What was done",
        max_length=4000,
        widget=NOTE,
        error_messages={"required": "Write what was done about it."},
    )

    def ending(self) -> Ending:
        """Return the cleaned note as the action takes it."""
        return Ending(notes=self.cleaned_data["notes"])


class DecisionForm(SeenForm):
    """A second reader's decision."""

    agreed = forms.ChoiceField(
        label="Do you agree",
        choices=[("yes", "Yes, let it take effect"), ("no", "No, keep the alert open")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose yes or no."},
    )
    note = forms.CharField(
        label="Why you decide so",
        max_length=1000,
        widget=NOTE,
        help_text="What you saw yourself. It stands on the timeline beside their reason.",
        error_messages={"required": "Write a sentence about what you saw."},
    )
