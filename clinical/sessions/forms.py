"""Fields of a session's pages: start, log, assess, end, and the purpose of opening words; no writes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from clinical.sessions.coding import ASKED, INTERACTION, INTERVENTION, INTERVENTIONS, SAME, STATUSES
from cortex.ui.moments import MomentField
from patients.codes import Channel, SessionStatus

SELECT = {"class": "select"}
PLACES = (Channel.IN_PERSON, Channel.VIDEO, Channel.PHONE, Channel.CHAT)
# Why somebody opens what was said: the words of the access log (domain 7.4), with what each means here.
PURPOSES = (
    ("treatment", "For treatment"),
    ("alert_review", "To review an alert or a signal"),
)
LEVELS = (
    (SAME, "As the signals have it"),
    ("low", "Low"),
    ("medium", "Medium"),
    ("high", "High"),
    ("critical", "Critical"),
)


class StartForm(forms.Form):
    """Where a session takes place."""

    channel = forms.ChoiceField(
        label="Where", choices=[(one.value, one.label) for one in PLACES], widget=forms.Select(attrs=SELECT)
    )
    session_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    beside = forms.BooleanField(required=False, widget=forms.HiddenInput)


class EntryForm(forms.Form):
    """What happens: an interaction in words, or a coded intervention with or without any."""

    code = forms.ChoiceField(
        label="What",
        required=False,
        choices=[("", "Interaction"), ("Interventions", list(INTERVENTIONS.items()))],
        widget=forms.Select(attrs=SELECT),
    )
    text = forms.CharField(
        label="Words",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 3, "autocomplete": "off"}),
    )

    def kind(self) -> str:
        """Return which kind of entry was chosen."""
        return INTERVENTION if self.cleaned_data.get("code") else INTERACTION


class EndForm(forms.Form):
    """How a session ended."""

    status = forms.ChoiceField(
        label="How it ended",
        choices=[
            (SessionStatus.COMPLETED.value, "As planned"),
            (SessionStatus.ABANDONED.value, "Broken off"),
        ],
        widget=forms.Select(attrs=SELECT),
    )
    ended_at = MomentField(
        label="Ended at",
        required=False,
        help_text="Only if it was over earlier. Empty means now.",
    )


class WordsForm(forms.Form):
    """Why the words are opened, and which part of a long conversation."""

    purpose = forms.ChoiceField(label="Purpose", choices=PURPOSES, widget=forms.Select(attrs=SELECT))
    part = forms.IntegerField(required=False, min_value=1, max_value=10**6, widget=forms.HiddenInput)


class RiskForm(forms.Form):
    """The short structured assessment: what was asked, the level, and why."""

    # Asked for where the level makes it needed: no "(optional)" beside it.
    one_of = ("note",)

    level = forms.ChoiceField(label="Level", choices=LEVELS, widget=forms.RadioSelect)
    note = forms.CharField(
        label="Reason",
        required=False,
        max_length=4000,
        help_text="Needed when the level goes down, and below high with an intent, a plan, preparations or "
        "an attempt in the last 3 months. It stays sealed in this session.",
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 3, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for _, group in ASKED:
            for code, words in group:
                self.fields[code] = forms.ChoiceField(
                    label=words, choices=STATUSES, required=False, initial="unknown",
                    widget=forms.Select(attrs={"class": "select select-sm"}),
                )  # fmt: skip

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the questions by group, as the page shows them."""
        return [(title, [self[code] for code, _ in group]) for title, group in ASKED]

    def factors(self) -> Mapping[str, str]:
        """Return the answers by code."""
        codes = [code for _, group in ASKED for code, _ in group]
        return {code: self.cleaned_data.get(code) or "unknown" for code in codes}
