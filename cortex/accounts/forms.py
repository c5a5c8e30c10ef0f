"""The fields of the account page, of invitations and of the cover; no writes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from cortex.accounts import pins
from cortex.accounts.models import Role, User
from cortex.audit.rules import InputRefused

LONGEST = 256


def _text(label: str, **attributes: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=160, widget=forms.TextInput(attrs={"class": "input", **attributes})
    )


def _secret(label: str, autocomplete: str, hint: str = "", css: str = "input") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"class": css, "autocomplete": autocomplete, "maxlength": LONGEST})
    return forms.CharField(label=label, max_length=LONGEST, strip=False, help_text=hint, widget=widget)


class PinField(forms.CharField):
    """Digits of a board PIN, checked by the house's rules."""

    def __init__(self, label: str = "Board PIN") -> None:
        attributes = {
            "class": "input",
            "inputmode": "numeric",
            "autocomplete": "off",
            "maxlength": pins.LONGEST,
        }
        super().__init__(
            label=label,
            help_text="6 to 12 digits. It uncovers your board after 15 minutes without input.",
            widget=forms.PasswordInput(attrs=attributes),
        )

    def clean(self, value: Any) -> str:
        """Return the PIN, or say what is wrong with it."""
        try:
            return pins.checked(super().clean(value))
        except InputRefused as refused:
            raise ValidationError(refused.message, code=refused.code) from None


class NameForm(forms.Form):
    """One's own name, as colleagues see it."""

    full_name = _text("Name", autocomplete="name")


class PreferencesForm(forms.Form):
    """How one's own pages look and listen."""

    theme = forms.ChoiceField(
        label="Theme",
        required=False,
        choices=[("", "As the device"), ("light", "Light"), ("dark", "Dark")],
        widget=forms.Select(attrs={"class": "input"}),
    )
    shortcuts = forms.BooleanField(label="Single-key shortcuts", required=False)
    sound = forms.BooleanField(label="Alert sound", required=False)


class ThemeForm(forms.Form):
    """The theme alone, from the button in the frame."""

    theme = forms.ChoiceField(required=False, choices=[("", ""), ("light", ""), ("dark", "")])


class CurrentPasswordForm(forms.Form):
    """A form that proves who sits here by the current password; `reauthenticate` checks it, throttled."""

    current = _secret("Current password", "current-password")

    def __init__(self, *args: Any, user: User, reauthenticate: Any = None, **kwargs: Any) -> None:
        # Two such forms stand on one page; their fields must not share an id.
        super().__init__(*args, **{"auto_id": f"{type(self).__name__.lower()}_%s"} | kwargs)
        self.user = user
        self.reauthenticate = reauthenticate

    def clean(self) -> dict[str, Any]:
        """Check the current password last, so that a typing error elsewhere costs no attempt."""
        data = super().clean() or {}
        if not self.errors and not self.reauthenticate(self.user, data["current"]):
            self.add_error("current", "The password is not right.")
        return data


class PasswordForm(CurrentPasswordForm):
    """A new password, twice."""

    new = _secret("New password", "new-password", "At least 15 characters. A sentence is easy to remember.")
    again = _secret("New password again", "new-password")
    field_order = ("current", "new", "again")

    def clean_new(self) -> str:
        """Apply the length and the list of common passwords."""
        validate_password(self.cleaned_data["new"], self.user)
        return str(self.cleaned_data["new"])

    def clean_again(self) -> str:
        """Compare the two."""
        if self.cleaned_data["again"] != self.cleaned_data.get("new", self.cleaned_data["again"]):
            raise ValidationError("The two passwords are not the same.")
        return str(self.cleaned_data["again"])


class PinForm(CurrentPasswordForm):
    """A new PIN."""

    pin = PinField()
    field_order = ("current", "pin")


class UnlockForm(forms.Form):
    """The PIN on the cover; its shape is not explained to whoever stands there."""

    pin = forms.CharField(
        label="PIN",
        max_length=LONGEST,
        widget=forms.PasswordInput(
            attrs={
                "class": "input input-lg",
                "inputmode": "numeric",
                "autocomplete": "off",
                "autofocus": True,
            }
        ),
    )


class AcceptForm(forms.Form):
    """What an invited person chooses."""

    full_name = _text("Your name", autocomplete="name")
    password = _secret("Password", "new-password", "At least 15 characters. A sentence is easy to remember.")
    again = _secret("Password again", "new-password")
    pin = PinField()

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        """Apply the length, the list of common passwords, and likeness to name and e-mail."""
        person = User(email=self.email, full_name=self.cleaned_data.get("full_name", ""))
        validate_password(self.cleaned_data["password"], person)
        return str(self.cleaned_data["password"])

    def clean_again(self) -> str:
        """Compare the two."""
        if self.cleaned_data["again"] != self.cleaned_data.get("password", self.cleaned_data["again"]):
            raise ValidationError("The two passwords are not the same.")
        return str(self.cleaned_data["again"])


class InviteForm(forms.Form):
    """Who is invited as what; the roles are those that the inviter may give."""

    email = forms.EmailField(label="Work e-mail", widget=forms.EmailInput(attrs={"class": "input"}))
    full_name = _text("Name")
    role = forms.ChoiceField(label="Role", widget=forms.Select(attrs={"class": "input"}))

    def __init__(self, *args: Any, roles: frozenset[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role.value, role.label) for role in Role if role in roles]
        self.fields["role"].choices = offered  # type: ignore[attr-defined]
