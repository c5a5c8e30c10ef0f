"""Fields of a chart's sections: who joins the team, whom to call, and a consent that staff take down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from cortex.accounts.models import User
from cortex.ui.moments import DayField
from patients.codes import (
    LANGUAGE_NAMES,
    CareRole,
    ConsentChannel,
    ConsentMethod,
    ConsentPurpose,
    ConsentRecipient,
    ConsentType,
    DataCategory,
)
from patients.contacts.models import MOST
from patients.privacy.records import ConsentData
from patients.privacy.scope import LISTS
from patients.registry.records import ContactData

UNKEPT = {"autocomplete": "off"}
SELECT = {"class": "select"}
INPUT = {"class": "input"} | UNKEPT
DAY = {"type": "date", "class": "input"}
LIMITS = (*LISTS, "starts_on")


class MemberForm(forms.Form):
    """Who joins the team: a colleague, or a caregiver or family doctor by name."""

    role = forms.ChoiceField(
        label="As", choices=CareRole.choices, widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Choose a role."},
    )  # fmt: skip
    user = forms.ChoiceField(label="Colleague", required=False, widget=forms.Select(attrs=SELECT))
    outside_name = forms.CharField(
        label="Or somebody without an account", required=False, max_length=160,
        widget=forms.TextInput(attrs=INPUT), help_text="A caregiver or a family doctor.",
    )  # fmt: skip
    ends_at = DayField(
        label="Until", required=False, widget=forms.DateInput(attrs=DAY), help_text="Empty: until ended."
    )

    def __init__(self, *args: Any, colleagues: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = [(str(one.pk), f"{one.full_name}, {one.get_role_display().lower()}") for one in colleagues]
        self.fields["user"].choices = [("", "Choose"), *chosen]  # type: ignore[attr-defined]

    def member(self) -> dict[str, Any]:
        """Return the action's words."""
        typed = self.cleaned_data
        return {
            "role": typed["role"],
            "user_id": UUID(typed["user"]) if typed["user"] else None,
            "outside_name": typed["outside_name"],
            "ends_at": end_of(typed["ends_at"]) if typed["ends_at"] else None,
        }


def end_of(day: Any) -> datetime:
    """Return the last moment of a day where the service is."""
    return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))


class ConsentForm(forms.Form):
    """One decision that a person gave on paper or in words; nothing is bundled."""

    consent_type = forms.ChoiceField(
        label="Consent to", choices=[("", "Choose"), *ConsentType.choices],
        widget=forms.Select(attrs=SELECT), error_messages={"required": "Choose one."},
    )  # fmt: skip
    granted = forms.ChoiceField(
        label="The person", choices=[("yes", "agrees"), ("no", "does not agree")], initial="yes",
        widget=forms.RadioSelect,
    )  # fmt: skip
    method = forms.ChoiceField(
        label="Given", initial=ConsentMethod.PAPER, widget=forms.Select(attrs=SELECT),
        choices=[(ConsentMethod.PAPER, "On paper"), (ConsentMethod.SPOKEN, "In words")],
    )  # fmt: skip
    version = forms.CharField(
        label="Version of the wording", required=False, max_length=32, widget=forms.TextInput(attrs=INPUT)
    )
    language = forms.ChoiceField(
        label="In which language", choices=LANGUAGE_NAMES, required=False, widget=forms.Select(attrs=SELECT)
    )
    expires_at = DayField(
        label="Ends on",
        required=False,
        widget=forms.DateInput(attrs=DAY),
        help_text="Empty: until withdrawn.",
    )
    guardian = forms.CharField(
        label="Who consents for them", required=False, max_length=160, widget=forms.TextInput(attrs=INPUT),
        help_text="Needed under 18.",
    )  # fmt: skip
    assent = forms.BooleanField(label="The young person agrees themself", required=False)
    evidence_ref = forms.CharField(
        label="Where the paper lies", required=False, max_length=120, widget=forms.TextInput(attrs=INPUT)
    )
    purposes = forms.MultipleChoiceField(
        label="Only for", choices=ConsentPurpose, required=False, widget=forms.CheckboxSelectMultiple
    )
    data_categories = forms.MultipleChoiceField(
        label="Only this data", choices=DataCategory, required=False, widget=forms.CheckboxSelectMultiple
    )
    recipients = forms.MultipleChoiceField(
        label="Only towards", choices=ConsentRecipient, required=False, widget=forms.CheckboxSelectMultiple
    )
    channels = forms.MultipleChoiceField(
        label="Only by", choices=ConsentChannel, required=False, widget=forms.CheckboxSelectMultiple
    )
    starts_on = DayField(
        label="Counts from", required=False, widget=forms.DateInput(attrs=DAY),
        help_text="Empty: at once. Until that day it allows nothing.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse a consent that ends before it begins, and limits of one that is not given."""
        data = super().clean() or self.cleaned_data
        starts, ends = data.get("starts_on"), data.get("expires_at")
        if starts and ends and ends < starts:
            self.add_error("starts_on", "It would end before it begins.")
        named = [name for name in LIMITS if data.get(name)]
        if named and data.get("granted") == "no":
            self.add_error(named[0], "Who does not agree limits nothing: leave this empty.")
        return data

    def decision(self) -> list[forms.BoundField]:
        """Return the fields of what was decided, and how."""
        return [self[name] for name in self.fields if name not in LIMITS]

    def limits(self) -> list[forms.BoundField]:
        """Return the fields of what it is limited to."""
        return [self[name] for name in LIMITS]

    @property
    def shows_limits(self) -> bool:
        """Whether something is wrong with a limit, so that it must be seen."""
        return any(name in self.errors for name in LIMITS)

    def consent(self) -> ConsentData:
        """Return the decision."""
        typed = self.cleaned_data
        scope: dict[str, Any] = {name: typed[name] for name in LISTS if typed[name]}
        if typed["starts_on"]:
            scope["from"] = timezone.make_aware(datetime.combine(typed["starts_on"], time.min)).isoformat()
        if typed["assent"]:
            scope["assent"] = True
        return ConsentData(
            consent_type=typed["consent_type"], granted=typed["granted"] == "yes", scope=scope,
            version=typed["version"], language=typed["language"], method=typed["method"],
            expires_at=end_of(typed["expires_at"]) if typed["expires_at"] else None,
            guardian=typed["guardian"] or None, evidence_ref=typed["evidence_ref"],
        )  # fmt: skip


class SeenForm(forms.Form):
    """When what a page shows was last changed; an unreadable time counts as none, and so as stale."""

    seen = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def moment(self) -> datetime | None:
        """Return it, or None."""
        return self.cleaned_data.get("seen") if self.is_valid() else None


class ContactForm(forms.Form):
    """Somebody to call: who, which number, and what they may hear."""

    name = forms.CharField(
        label="Name", max_length=160, widget=forms.TextInput(attrs=INPUT),
        error_messages={"required": "Write who it is."},
    )  # fmt: skip
    relationship = forms.CharField(
        label="Who they are to the person", required=False, max_length=80,
        widget=forms.TextInput(attrs=INPUT), help_text="Mother, friend, neighbour.",
    )  # fmt: skip
    phone = forms.CharField(
        label="Phone", max_length=40, widget=forms.TextInput(attrs=INPUT | {"type": "tel"}),
        help_text="With its area code, or with + and the country code.",
        error_messages={"required": "Write the number to call."},
    )  # fmt: skip
    place = forms.TypedChoiceField(label="Called", coerce=int, widget=forms.Select(attrs=SELECT))
    language = forms.CharField(
        label="Speaks", required=False, max_length=16, widget=forms.Select(attrs=SELECT)
    )
    email = forms.CharField(
        label="E-mail", required=False, max_length=254, widget=forms.TextInput(attrs=INPUT)
    )
    note = forms.CharField(
        label="What they may know", required=False, max_length=1000,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 3} | UNKEPT),
        help_text="Stands beside the number on the alert's page.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(MOST)

    def offer(self, places: int, language: str = "") -> None:
        """Offer so many places in the order, and the contact's own language beside the usual ones."""
        ranks = range(1, min(places, MOST) + 1)
        self.fields["place"].choices = [(rank, ordinal(rank)) for rank in ranks]  # type: ignore[attr-defined]
        spoken = {"": "Not known"} | LANGUAGE_NAMES
        spoken.setdefault(language, language)
        self.fields["language"].widget.choices = list(spoken.items())  # type: ignore[attr-defined]

    def contact(self) -> dict[str, Any]:
        """Return the action's words."""
        typed = dict(self.cleaned_data)
        place = typed.pop("place")
        return {"place": place, "data": ContactData(**typed)}


def ordinal(place: int) -> str:
    """Return a place in words, as in `first`."""
    few = {1: "First", 2: "Second", 3: "Third"}
    return few.get(place, f"{place}th")
