"""Who is signed in: the person whose row came with the session, judged as Django judges every other."""

from __future__ import annotations

from typing import Any

from django.contrib import auth
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from cortex.accounts.models import User
from cortex.accounts.signin.backends import EmailBackend

BACKEND = f"{EmailBackend.__module__}.{EmailBackend.__qualname__}"


class SignedInMiddleware(AuthenticationMiddleware):
    """Django's own, without its query where the session's statement has answered it."""

    def process_request(self, request: HttpRequest) -> None:
        """Let the first who asks for the person find out."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]


def _person(request: Any) -> Any:
    if not hasattr(request, "_cached_user"):
        request._cached_user = _known(request) or auth.get_user(request)
    return request._cached_user


def _known(request: Any) -> User | None:
    """Return the person who came with the session if they hold it now; whoever does not is Django's business.

    The same questions as `django.contrib.auth.get_user` asks: their id, our backend, an open account and
    house, and the hash that a new password changes.
    """
    session = request.session
    signed = session.get(auth.SESSION_KEY)
    person: User | None = getattr(session, "person", None)
    if signed is None or person is None or signed != str(person.pk):
        return None
    if session.get(auth.BACKEND_SESSION_KEY) != BACKEND or not EmailBackend().user_can_authenticate(person):
        return None
    hash_now = person.get_session_auth_hash()
    return person if constant_time_compare(session.get(auth.HASH_SESSION_KEY, ""), hash_now) else None
