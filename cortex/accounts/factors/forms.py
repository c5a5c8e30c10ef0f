"""The fields of second factors; a code or a key is checked by the actions, under the throttle."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm as StockAddKeyForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm as StockKeyForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.core.exceptions import ValidationError

from cortex.accounts.choices import FactorReset
from cortex.accounts.factors import challenge
from cortex.accounts.factors.actions import NAME_LENGTH
from cortex.accounts.models import User

LONGEST_CODE = 32
LONGEST_ANSWER = 16_384


class CodeInput(forms.TextInput):
    """Never shows a code again: whatever was refused is worth nothing, and the next one is typed over it."""

    def format_value(self, value: Any) -> None:
        """Return nothing to show."""


def _code(label: str) -> forms.CharField:
    attributes = {"class": "input input-lg otp", "inputmode": "numeric", "autocomplete": "one-time-code"}
    return forms.CharField(label=label, max_length=LONGEST_CODE, widget=CodeInput(attrs=attributes))


def _name(label: str, hint: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "input input-lg", "autocomplete": "off"})
    return forms.CharField(label=label, max_length=NAME_LENGTH, required=False, help_text=hint, widget=widget)


class AnswerField(forms.Field):
    """What a browser says for a key: one JSON object of a bounded length; strangers send anything here."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> dict[str, Any] | None:
        """Return the object; nothing is parsed before its length is known."""
        text = str(value or "")
        if not text:
            return None
        wrong = ValidationError("That is no answer of a key.", "invalid")
        if len(text) > LONGEST_ANSWER:
            raise wrong
        try:
            found = json.loads(text)
        except (RecursionError, ValueError):
            raise wrong from None
        if not isinstance(found, dict):
            raise wrong
        return found


class CodeForm(forms.Form):
    """A code of the app, or a recovery code; valid means that it is used up."""

    code = _code("Code")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def begin_here(self) -> None:
        """Put the cursor into the field, unless there is a refusal to read first."""
        if not self.is_bound:
            self.fields["code"].widget.attrs["autofocus"] = True

    def clean_code(self) -> str:
        """Check and use up the code."""
        code: str = self.cleaned_data["code"]
        self.kind = challenge.give_code(context.request, self.user, code)
        return code

    def save(self) -> None:
        """Do what allauth's page asks of a form: nothing is written but the session."""
        self.note()

    def note(self, *, again: bool = False) -> None:
        """Note in the session that a factor was given; `again`: by somebody who is signed in."""
        record_authentication(
            context.request, self.user, "mfa", type=self.kind, reauthenticated=again or None
        )


class KeyForm(StockKeyForm):  # type: ignore[misc]
    """What a security key answered."""

    credential = AnswerField()

    def clean_credential(self) -> Any:
        """Check the answer under the throttle; return the key that gave it."""
        credential = self.cleaned_data["credential"]
        return challenge.give_key(context.request, self.user, credential)

    def save(self) -> None:
        """Do what allauth's page asks of a form: nothing is written but the session."""
        self.note()

    def note(self, *, again: bool = False) -> None:
        """Note in the session that a factor was given; `again`: by somebody who is signed in."""
        key = self.cleaned_data["credential"]
        record_authentication(
            context.request, self.user, "mfa", id=key.pk, type=key.type, reauthenticated=again or None
        )


class AddAppForm(forms.Form):
    """The code that a fresh app shows, and what to call it."""

    name = _name("Name", "So that you know it again, such as: work phone.")
    code = _code("Code that the app shows")
    field_order = ("code", "name")


class AddKeyForm(StockAddKeyForm):  # type: ignore[misc]
    """What a new security key answered, and what to call it."""

    name = _name("Name", "So that you know it again, such as: blue key on my keyring.")
    credential = AnswerField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"name": ""}, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Check the answer; whatever is no answer of a key is a wrong one, not a fault of ours."""
        try:
            return super().clean()  # type: ignore[no-any-return]
        except ValidationError:
            raise
        except challenge.NO_ANSWER:
            raise get_adapter().validation_error("incorrect_code") from None


class ResetForm(forms.Form):
    """Why a colleague's factors are taken from them."""

    reason = forms.ChoiceField(
        label="Why",
        choices=[("", "Choose"), *FactorReset.choices],
        widget=forms.Select(attrs={"class": "input"}),
    )


def begin_key(user: User) -> dict[str, Any]:
    """Return what a browser asks one of the person's keys."""
    return dict(webauthn.begin_authentication(user))
