"""Fields of a chart's sections: somebody who joins the team, and a consent that staff take down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from cortex.accounts.models import User
from patients.codes import LANGUAGE_NAMES, CareRole, ConsentMethod, ConsentType
from patients.privacy.records import ConsentData

UNKEPT = {"autocomplete": "off"}
SELECT = {"class": "select"}
INPUT = {"class": "input"} | UNKEPT
DAY = {"type": "date", "class": "input"}
PURPOSES = (
    ("care", "Care"), ("safety", "Safety"), ("quality", "Quality of the service"), ("research", "Research"),
)  # fmt: skip
RECIPIENTS = (
    ("care_team", "The care team"), ("family_doctor", "The family doctor"), ("caregiver", "A caregiver"),
    ("insurer", "The insurer"),
)  # fmt: skip


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
    ends_at = forms.DateField(
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
    expires_at = forms.DateField(
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
        label="Only for", choices=PURPOSES, required=False, widget=forms.CheckboxSelectMultiple
    )
    recipients = forms.MultipleChoiceField(
        label="Only towards", choices=RECIPIENTS, required=False, widget=forms.CheckboxSelectMultiple
    )

    def consent(self) -> ConsentData:
        """Return the decision."""
        typed = self.cleaned_data
        scope: dict[str, Any] = {name: typed[name] for name in ("purposes", "recipients") if typed[name]}
        if typed["assent"]:
            scope["assent"] = True
        return ConsentData(
            consent_type=typed["consent_type"], granted=typed["granted"] == "yes", scope=scope,
            version=typed["version"], language=typed["language"], method=typed["method"],
            expires_at=end_of(typed["expires_at"]) if typed["expires_at"] else None,
            guardian=typed["guardian"] or None, evidence_ref=typed["evidence_ref"],
        )  # fmt: skip
