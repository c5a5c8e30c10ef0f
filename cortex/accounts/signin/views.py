"""Signing in and out, password reset and asking for the password again: allauth's views, each declared."""

from __future__ import annotations

from typing import Any

from allauth.account import views as stock
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from cortex.access.declare import public, requires_any_staff
from cortex.accounts.factors.gate import open_without_factor
from cortex.accounts.limits import open_while_covered
from cortex.accounts.signin.forms import LoginForm, ReauthenticateForm, ResetForm, ResetKeyForm
from cortex.accounts.signin.recent import asked_for
from cortex.accounts.signin.status import status_lines


class WithStatus:
    """Adds the lines of the brand panel."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page's context with the real service status."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return context | {"status": status_lines()}


class LoginView(WithStatus, stock.LoginView):  # type: ignore[misc]
    """E-mail and password."""

    form_class = LoginForm

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        """Answer 422, as every form here."""
        return self.render_to_response(self.get_context_data(form=form), status=422)  # type: ignore[no-any-return]


class ResetView(WithStatus, stock.PasswordResetView):  # type: ignore[misc]
    """Ask for a reset link."""

    form_class = ResetForm


class ResetDoneView(WithStatus, stock.PasswordResetDoneView):  # type: ignore[misc]
    """Say that a mail is on its way, if the address is known."""


class ResetKeyView(WithStatus, stock.PasswordResetFromKeyView):  # type: ignore[misc]
    """Choose a new password by a mailed link."""

    form_class = ResetKeyForm


class ResetKeyDoneView(WithStatus, stock.PasswordResetFromKeyDoneView):  # type: ignore[misc]
    """Say that the password is set."""


class ReauthenticateView(WithStatus, stock.ReauthenticateView):  # type: ignore[misc]
    """Ask the signed-in person for the password again, and say what for."""

    form_class = ReauthenticateForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page's context with what waits, and with the way back."""
        return super().get_context_data(**kwargs) | {"asked": asked_for(self.request)}


login = public("the way in")(LoginView.as_view())
reset = public("somebody who forgot a password is not signed in")(ResetView.as_view())
reset_done = public("follows the reset form")(ResetDoneView.as_view())
reset_key = public("a mailed link, proven by its token")(ResetKeyView.as_view())
reset_key_done = public("follows the new password")(ResetKeyDoneView.as_view())
reauthenticate = open_without_factor(
    requires_any_staff(never_cache(sensitive_post_parameters("password")(ReauthenticateView.as_view())))
)


@open_without_factor
@open_while_covered
@requires_any_staff
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End this session and clear what the browser kept of it; the device stays known."""
    response: HttpResponse = stock.logout(request)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
