"""Fields of what came of a promised contact and of what was asked in it; no writes here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.dateformat import format as date_format
from django.utils.timezone import localtime

from crisis.followups.actions import OUTCOMES, Checks
from crisis.followups.models import MeansCheck, PlanCheck, ScreenerCheck, WhyNot
from crisis.reviews.forms import NoteForm
from crisis.reviews.models import ContactChannel

ASKED = ("screener", "plan", "means")
NOT_ASKED = "not_asked"
SELECT = {"class": "select"}


def _why(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[("", "Choose"), *WhyNot.choices], required=False, widget=forms.Select(SELECT)
    )


class FollowUpForm(NoteForm):
    """What came of a follow-up contact, or of a try that nobody answered; the three questions with it."""

    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Choose"), *((one, one.replace("_", " ").capitalize()) for one in OUTCOMES)],
        widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Choose what came of it."},
    )
    channel = forms.ChoiceField(
        label="How",
        choices=[("", "Choose"), *ContactChannel.choices],
        required=False,
        widget=forms.Select(attrs=SELECT),
        help_text="Needed when nobody answered: the next step depends on it.",
    )
    screener = forms.ChoiceField(
        label="C-SSRS since the last contact", required=False, widget=forms.RadioSelect
    )
    screener_why = _why("Why the C-SSRS was not asked")
    plan = forms.ChoiceField(
        label="Safety plan", choices=PlanCheck.choices, required=False, widget=forms.RadioSelect
    )
    plan_why = _why("Why the plan was not looked at")
    means = forms.ChoiceField(
        label="Means",
        choices=MeansCheck.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text="Pesticides, a rope, medicines, whatever they spoke of. The engine counts the answer.",
    )
    means_why = _why("Why the means were not asked about")
    means_note = forms.CharField(
        label="Which means, and what was agreed",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "textarea", "maxlength": 2000}),
        help_text="It is sealed. Whoever has the person open reads it.",
    )
    field_order = [
        "outcome", "channel", "screener", "screener_why", "plan", "plan_why", "means", "means_why",
        "means_note", "note",
    ]  # fmt: skip

    one_of = ("channel", "screener_why", "plan_why", "means_why")  # each is needed with one of the answers

    def __init__(
        self,
        *args: Any,
        screeners: Iterable[tuple[UUID, datetime, str]] = (),
        plan_of: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        found = [
            (str(pk), f"Asked {date_format(localtime(when), 'j M, H:i')}{f': {triage}' if triage else ''}")
            for pk, when, triage in screeners
        ]
        self.fields["screener"].choices = [*found, (NOT_ASKED, "Not asked")]  # type: ignore[attr-defined]
        if not found:
            self.fields["screener"].help_text = "None on record since the last contact."
        day = (
            f"In force since {date_format(localtime(plan_of), 'j M Y')}." if plan_of else "None is in force."
        )
        self.fields["plan"].help_text = day

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields of the contact itself."""
        return [self["outcome"], self["channel"]]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Return the three questions, each with its fields."""
        more = {"means": ["means_note"]}
        return [
            {"key": one, "fields": [self[name] for name in (one, f"{one}_why", *more.get(one, ()))]}
            for one in ASKED
        ]

    def clean(self) -> dict[str, Any]:
        """Ask how somebody tried when nobody answered, and the three questions of whoever was reached."""
        data = super().clean() or self.cleaned_data
        outcome = data.get("outcome")
        if outcome == "no_answer":
            if not data.get("channel"):
                self.add_error("channel", "Say how you tried.")
            if any(data.get(one) for one in (*ASKED, "means_note")):
                self.add_error("outcome", "Nobody answered: leave the questions below empty.")
        for one in ASKED:
            if outcome == "reached" and not data.get(one) and one not in self.errors:
                self.add_error(one, "Answer it: not asked is an answer, too.")
            if data.get(one) == NOT_ASKED and not data.get(f"{one}_why"):
                self.add_error(f"{one}_why", "Say why not.")
        if data.get("means_note") and not data.get("means") and "means" not in self.errors:
            self.add_error("means", "Say whether the means are safe.")
        return data

    def checks(self) -> Checks:
        """Return what was answered; a reason beside an answer that needs none is left out."""
        data = self.cleaned_data
        asked = data["screener"]
        is_done = bool(asked) and asked != NOT_ASKED
        why = {f"{one}_why": data[f"{one}_why"] if data[one] == NOT_ASKED else "" for one in ASKED}
        return Checks(
            screener=ScreenerCheck.DONE if is_done else asked, screener_id=UUID(asked) if is_done else None,
            plan=data["plan"], means=data["means"], means_note=data["means_note"], **why,
        )  # fmt: skip
