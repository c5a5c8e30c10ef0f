"""How allauth signs people in here: throttled, recorded, and without telling strangers apart."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth import HASH_SESSION_KEY, authenticate
from django.contrib.auth import login as start
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from cortex.accounts.actions import set_password
from cortex.accounts.choices import Attempt
from cortex.accounts.factors.queries import has_factor
from cortex.accounts.models import User
from cortex.accounts.sessions.actions import end_session, start_session
from cortex.accounts.signin import actions
from cortex.accounts.signin.devices import coarse_address, marks_of, remember_device, visitor
from cortex.audit import actor_of
from cortex.audit.actors import actor_of_user

BACKEND = "cortex.accounts.signin.backends.EmailBackend"


class AccountAdapter(DefaultAccountAdapter):
    """E-mail and password only; nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail or the password is not right.",
        "incorrect_password": "The password is not right.",
        "too_many_login_attempts": (
            "Too many failed attempts. Try again in 15 minutes, or ask your supervisor to unlock you."
        ),
        "invalid_password_reset": "This link was used or has expired. Ask for a new one.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Our pages are pages; allauth's JSON answers are not offered."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return a coarse address; the whole one is kept nowhere."""
        return coarse_address(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Count the attempt, check the password, record the end; raise a field error while a lock holds."""
        email = str(credentials.get("email", ""))
        marks = marks_of(request, email)
        attempt = actions.reserve_attempt(marks=marks)
        if attempt.outcome == Attempt.BLOCKED:
            raise self.validation_error("too_many_login_attempts")
        user = authenticate(request, email=email, password=credentials.get("password", ""))
        if not isinstance(user, User):
            actions.refuse_attempt(actor=visitor(request), attempt_id=attempt.pk, marks=marks, email=email)
            return None
        actions.accept_attempt(actor=actor_of_user(user), attempt_id=attempt.pk)
        return user

    def reauthenticate(self, user: User, password: str) -> bool:  # type: ignore[override]
        """Ask the signed-in person for their password again, under the same throttle."""
        found = self.authenticate(self.request, email=user.email, password=password)
        if found is None or found.pk != user.pk:
            return False
        # The check may have renewed the hash of this password: the session that gave it goes on.
        self.request.session[HASH_SESSION_KEY] = found.get_session_auth_hash()
        return True

    def login(self, request: HttpRequest, user: User) -> None:  # type: ignore[override]
        """Start the session under a new key, and its clocks."""
        start(request, user, backend=BACKEND)
        # The stage that asks for a factor stands before this; only whoever has none comes without its record.
        given = any(one["method"] == "mfa" for one in get_authentication_records(request, user))
        key = request.session.session_key or ""
        start_session(actor=actor_of(request), session_key=key, by_factor=given)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Remember this device, so that others' failures can't lock it out."""
        response = super().post_login(request, user, **kwargs)
        remember_device(request, response, user.email)
        return response

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Offer the password, and a factor to whoever has one: app, key and recovery codes are one page."""
        methods = [_method("reauthenticate", "Use your password", "account_reauthenticate")]
        if has_factor(user.pk):
            methods.append(_method("mfa_reauthenticate", "Use a second factor", "mfa_reauthenticate"))
        return methods

    def logout(self, request: HttpRequest) -> None:
        """End the session in the store and in the trail."""
        if request.session.session_key:
            end_session(actor=actor_of(request), session_key=request.session.session_key, why="logout")
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:  # type: ignore[override]
        """Set a password by a mailed link: the person proved that the mailbox is theirs."""
        set_password(actor=actor_of_user(user), user_id=user.pk, password=password, how="reset")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing beside the page itself."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send nothing by itself: our own mails are few and wait as rows."""


def _method(name: str, words: str, view: str) -> dict[str, Any]:
    return {"id": name, "description": words, "url": reverse(view)}
