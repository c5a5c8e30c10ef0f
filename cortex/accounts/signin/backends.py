"""Checks an e-mail and a password in the same time whether or not the account exists."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from cortex.accounts.models import User
from cortex.accounts.queries import signed_in_user, user_by_email


class EmailBackend(ModelBackend):
    """Signs in active people of active organizations by e-mail, whatever its case."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether account and organization are open; asked at sign-in and at every request."""
        return super().user_can_authenticate(user) and user.organization.is_active

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        email: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the person, or None for a wrong password, a stranger and a disabled account alike."""
        if not email or not password:
            return None
        user = user_by_email(email)
        if user is None or not user.has_usable_password():
            make_password(password)  # a stranger must cost the same time as a wrong password
            return None
        if not user.check_password(password):
            return None
        return user if self.user_can_authenticate(user) else None

    def get_user(self, user_id: UUID) -> User | None:
        """Return the active person of a session, with their organization, in one query."""
        user = signed_in_user(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
