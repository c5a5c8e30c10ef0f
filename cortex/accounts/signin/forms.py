"""The fields of sign-in and password reset; the checks behind them are the adapter's and the actions'."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as StockLoginForm
from allauth.account.forms import ReauthenticateForm as StockReauthenticateForm
from allauth.account.forms import ResetPasswordForm as StockResetForm
from allauth.account.forms import ResetPasswordKeyForm as StockResetKeyForm
from django import forms
from django.http import HttpRequest

from cortex.accounts.mail.actions import queue_mail
from cortex.accounts.mail.models import MailKind
from cortex.accounts.signin.actions import request_reset
from cortex.accounts.signin.devices import marks_of, visitor

PASSWORD_LENGTH = 256


def dress(form: forms.Form, **autocomplete: str) -> None:
    """Give the fields our look and the browser's hints; placeholders go, labels stay."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs["class"] = "input input-lg"
        if name in autocomplete:
            field.widget.attrs["autocomplete"] = autocomplete[name]
        if isinstance(field.widget, forms.PasswordInput):
            field.widget.attrs["maxlength"] = PASSWORD_LENGTH
            field.max_length = PASSWORD_LENGTH  # type: ignore[attr-defined]


class LoginForm(StockLoginForm):  # type: ignore[misc]
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Work e-mail"
        self.fields["password"].help_text = ""
        dress(self, login="username", password="current-password")  # noqa: S106 (a browser's hint)

    def clean_password(self) -> str:
        """Refuse what no password of ours can be, before it costs a slow hash."""
        password: str = self.cleaned_data["password"]
        if len(password) > PASSWORD_LENGTH:
            raise forms.ValidationError("A password has at most 256 characters.")
        return password


class ReauthenticateForm(StockReauthenticateForm):  # type: ignore[misc]
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        dress(self, password="current-password")  # noqa: S106
        if not self.is_bound:
            self.fields["password"].widget.attrs["autofocus"] = True


class ResetForm(StockResetForm):  # type: ignore[misc]
    """The address that a reset link is mailed to; whether it is known shows nowhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Work e-mail"
        dress(self, email="username")

    def clean_email(self) -> str:
        """Look nobody up here: known and unknown addresses take the same way."""
        return str(self.cleaned_data["email"]).strip().lower()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Note the wish and let a mail wait, for strangers too: leaving it out would tell by time."""
        email: str = self.cleaned_data["email"]
        recipient = request_reset(actor=visitor(request), email=email, marks=marks_of(request, email))
        queue_mail(kind=MailKind.RESET, about=recipient, base_url=request.build_absolute_uri("/"))
        return email


class ResetKeyForm(StockResetKeyForm):  # type: ignore[misc]
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = "New password"
        self.fields["password1"].help_text = "At least 15 characters. A sentence is easy to remember."
        self.fields["password2"].label = "New password again"
        dress(self, password1="new-password", password2="new-password")
