"""Fields of referrals, endings, absences and moves; no writes here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from clinical.record.forms import DAY, INPUT, SELECT, UNKEPT, end_of
from cortex.accounts.models import User
from cortex.ui.moments import DayField
from cortex.ui.templatetags.ui import day
from patients.codes import ENDING_REASONS, LANGUAGE_NAMES, DeclineReason, EndingKind, ReferralSource, Urgency
from patients.pathway.actions import EndingData, ReferralData
from patients.registry.records import RegisterPatient

WORDS = {"rows": 4, "class": "textarea", "maxlength": 8000} | UNKEPT
# An absence ends at the midnight after its last day.
TICK = timedelta(microseconds=1)
AFTER = ((0, "At once"), (3, "In 3 days"), (7, "In 7 days"), (14, "In 14 days"))


def _names(
    people: Iterable[User], first: str, away: Mapping[UUID, datetime] | None = None
) -> list[tuple[str, str]]:
    """Return choices of staff; whoever is away now says until which day, the last one away."""

    def label(one: User) -> str:
        until = (away or {}).get(one.pk)
        return f"{one.full_name}, away until {day(until - TICK)}" if until else one.full_name

    return [("", first), *((str(one.pk), label(one)) for one in people)]


class ReferralForm(forms.Form):
    """Who is sent here, by whom, how soon and why: on record by pseudonym, or new."""

    pseudonym = forms.CharField(
        label="On record already: pseudonym", required=False, max_length=64,
        widget=forms.TextInput(attrs=INPUT), help_text="Or leave it empty and write who it is.",
    )  # fmt: skip
    given_name = forms.CharField(
        label="Given name", required=False, max_length=120, widget=forms.TextInput(attrs=INPUT)
    )
    family_name = forms.CharField(
        label="Family name", required=False, max_length=120, widget=forms.TextInput(attrs=INPUT)
    )
    phone = forms.CharField(
        label="Telephone", required=False, max_length=40, widget=forms.TextInput(attrs=INPUT)
    )
    # Who is over a hundred may be sent here too: the registration bounds it (`OLDEST_YEARS`).
    date_of_birth = forms.DateField(label="Born on", required=False, widget=forms.DateInput(attrs=DAY))
    language = forms.ChoiceField(
        label="Language", choices=LANGUAGE_NAMES, required=False, widget=forms.Select(attrs=SELECT)
    )
    source = forms.ChoiceField(
        label="Sent by", choices=[("", "Choose"), *ReferralSource.choices], widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Say who sent them."},
    )  # fmt: skip
    referrer = forms.CharField(
        label="Their name", required=False, max_length=160, widget=forms.TextInput(attrs=INPUT)
    )
    urgency = forms.ChoiceField(label="How soon", choices=Urgency.choices, initial=Urgency.ROUTINE,
                                widget=forms.Select(attrs=SELECT))  # fmt: skip
    reason = forms.CharField(
        label="Why", max_length=8000, widget=forms.Textarea(attrs=WORDS),
        error_messages={"required": "Say why they are sent."},
    )  # fmt: skip
    asked = forms.ChoiceField(
        label="Who should answer", required=False, widget=forms.Select(attrs=SELECT),
        help_text="Empty: the supervisors name somebody.",
    )  # fmt: skip

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asked"].choices = _names(people, "The supervisors decide")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for a pseudonym or a name."""
        data = super().clean() or self.cleaned_data
        if not data.get("pseudonym") and not data.get("given_name"):
            self.add_error("pseudonym", "Write a pseudonym, or the name of somebody new.")
        return data

    def referral(self) -> ReferralData:
        """Return what it says."""
        typed = self.cleaned_data
        return ReferralData(
            typed["source"], typed["urgency"], typed["reason"], typed["referrer"],
            UUID(typed["asked"]) if typed["asked"] else None,
        )  # fmt: skip

    def newcomer(self) -> RegisterPatient | None:
        """Return who is put on record; None for somebody who is."""
        typed = self.cleaned_data
        if typed["pseudonym"]:
            return None
        return RegisterPatient(
            given_name=typed["given_name"], family_name=typed["family_name"] or None,
            phone=typed["phone"] or None, date_of_birth=typed["date_of_birth"],
            language=typed["language"] or "en",
        )  # fmt: skip


class DeclineForm(forms.Form):
    """Why a referral isn't taken."""

    code = forms.ChoiceField(
        label="Why", choices=[("", "Choose"), *DeclineReason.choices], widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Say why."},
    )  # fmt: skip
    note = forms.CharField(
        label="A word to whoever sent them", required=False, max_length=4000,
        widget=forms.Textarea(attrs=WORDS | {"rows": 3}),
    )  # fmt: skip


class AnswererForm(forms.Form):
    """Which clinician answers a referral."""

    user = forms.ChoiceField(
        label="Who answers",
        widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Choose somebody."},
    )

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].choices = _names(people, "Choose")  # type: ignore[attr-defined]


def reasons(kind: EndingKind) -> list[tuple[str, str]]:
    """Return the choices of why care by somebody ends in this way."""
    return [("", "Choose"), *((one.value, one.label) for one in ENDING_REASONS[kind])]


class EndingForm(forms.Form):
    """How care ends: the reason, the closing summary, and until when the team may finish its notes."""

    reason_code = forms.ChoiceField(
        label="Reason", widget=forms.Select(attrs=SELECT), error_messages={"required": "Choose the reason."},
        choices=reasons(EndingKind.DISCHARGE),
    )  # fmt: skip
    summary = forms.CharField(
        label="Closing summary", max_length=8000, widget=forms.Textarea(attrs=WORDS | {"rows": 8}),
        help_text="Course, where things stand, what is agreed, what to watch. Sealed with the record.",
        error_messages={"required": "Write the closing summary."},
    )  # fmt: skip
    to_outside = forms.CharField(
        label="Who goes on elsewhere", required=False, max_length=200, widget=forms.TextInput(attrs=INPUT)
    )
    days = forms.TypedChoiceField(
        label="The team's access ends", choices=AFTER, coerce=int, initial=0,
        widget=forms.Select(attrs=SELECT), help_text="Later only to finish what has to be written.",
    )  # fmt: skip

    call_off = forms.BooleanField(
        label="Call off their appointments to come", required=False, initial=True,
        help_text="With everybody. Without it each stays until whoever has it calls it off.",
    )  # fmt: skip

    def ending(self) -> EndingData:
        """Return it."""
        typed = self.cleaned_data
        return EndingData(typed["reason_code"], typed["summary"], typed.get("to_outside", ""), typed["days"])


class TransferForm(EndingForm):
    """Whom a person is handed over to."""

    to = forms.ChoiceField(
        label="To", widget=forms.Select(attrs=SELECT), error_messages={"required": "Choose a colleague."}
    )
    field_order = ["to", "reason_code", "summary", "days"]

    def __init__(
        self, *args: Any, people: Iterable[User], away: Mapping[UUID, datetime], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["to_outside"], self.fields["call_off"]
        self.fields["to"].choices = _names(people, "Choose", away)  # type: ignore[attr-defined]
        self.fields["reason_code"].choices = reasons(EndingKind.TRANSFER)  # type: ignore[attr-defined]
        self.fields["days"].label = "Your access ends"


class AbsenceForm(forms.Form):
    """Who is away, from when until when, and who stands in."""

    user = forms.ChoiceField(label="Who is away", widget=forms.Select(attrs=SELECT))
    cover = forms.ChoiceField(
        label="Who stands in", widget=forms.Select(attrs=SELECT),
        error_messages={"required": "Choose a colleague."},
    )  # fmt: skip
    starts_at = DayField(
        label="First day away",
        widget=forms.DateInput(attrs=DAY),
        error_messages={"required": "Say from when."},
    )
    ends_at = DayField(
        label="Last day away",
        widget=forms.DateInput(attrs=DAY),
        error_messages={"required": "Say until when."},
    )

    def __init__(self, *args: Any, people: list[User], me: User, plans_for_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cover"].choices = _names(people, "Choose")  # type: ignore[attr-defined]
        if plans_for_all:
            self.fields["user"].choices = _names(people, "Choose")  # type: ignore[attr-defined]
        else:
            del self.fields["user"]
        self.me = me

    def absence(self) -> dict[str, Any]:
        """Return the action's words: whole days where the service is."""
        typed = self.cleaned_data
        starts = timezone.make_aware(datetime.combine(typed["starts_at"], time(0)))
        return {
            "user_id": UUID(typed["user"]) if typed.get("user") else self.me.pk,
            "cover_id": UUID(typed["cover"]),
            "starts_at": starts,
            "ends_at": end_of(typed["ends_at"]),
        }


class MoveForm(forms.Form):
    """One colleague for each person of a caseload that moves, and that unsigned notes are known of."""

    def __init__(
        self, *args: Any, rows: Collection[Any], people: Iterable[User], away: Mapping[UUID, datetime],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        choices = _names(people, "Choose", away)
        self.people = choices[1:]
        for row in rows:
            self.fields[f"to_{row.patient.pk}"] = forms.ChoiceField(
                label=f"To whom goes {row.patient.anonymous_id}", choices=choices,
                widget=forms.Select(attrs={"class": "select select-sm"}),
                error_messages={"required": "Choose who takes them."},
            )  # fmt: skip

        self.unsigned = sum(row.notes for row in rows)
        if self.unsigned:
            several = self.unsigned > 1
            self.fields["notes_known"] = forms.BooleanField(
                label=f"I know that {self.unsigned} unsigned note{'s' if several else ''} "
                f"{'are' if several else 'is'} given up",
                help_text="Whoever wrote them can't reach them after the move, and nobody else reads or "
                "signs them. Let them be signed first, if you can.",
                error_messages={"required": "Say that you know of them, or let them be signed first."},
            )

    def plan(self) -> dict[UUID, UUID]:
        """Return who takes whom."""
        named = {name: to for name, to in self.cleaned_data.items() if name.startswith("to_")}
        return {UUID(name.removeprefix("to_")): UUID(to) for name, to in named.items()}
