"""Gives a code or a key at any door: counted before it is checked, and recorded either way."""

from __future__ import annotations

import struct
from typing import Any

import structlog
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from cortex.access.context import KEYS_DOWN
from cortex.accounts.choices import Attempt
from cortex.accounts.factors import actions
from cortex.accounts.models import LoginAttempt, User
from cortex.accounts.signin.actions import forget_attempt, refuse_attempt, reserve_attempt
from cortex.accounts.signin.devices import factor_marks_of, visitor
from cortex.audit.actors import actor_of, actor_of_user
from cortex.audit.rules import RuleBroken
from cortex.crypto.errors import SealedError

log = structlog.get_logger("cortex.accounts")

UNREADABLE = (
    "No code can be checked for you: the key that seals your factors is lost, or not the one of before. Use "
    "a security key if you have one, else ask a supervisor or administrator to reset your factors. They "
    "should tell whoever runs Cortex: others may be shut out too."
)
# What the libraries raise over an answer that no key gave: JSON of another shape, CBOR cut short or endless,
# an unknown algorithm. Strangers type here, so it is refused like a wrong one and is no fault of ours.
NO_ANSWER = (
    ValidationError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def give_code(request: HttpRequest, user: User, code: str) -> str:
    """Use up a code; return the kind of factor that it belongs to, or raise a field error."""
    attempt = _attempt(request, user)
    try:
        found = actions.use_code(actor=actor_of_user(user), attempt_id=attempt.pk, code=code)
    except KEYS_DOWN:
        # Nobody looked at the code: an outage of the keys must not lock people out.
        forget_attempt(attempt_id=attempt.pk)
        raise
    except SealedError as error:
        # Nor here: the key is lost, or older than what it should open, and no code can be right.
        forget_attempt(attempt_id=attempt.pk)
        log.error("a factor's secret does not open", kind=type(error).__name__)
        raise RuleBroken(UNREADABLE, "factor_unreadable", status=503) from error
    if found in ("wrong", "replayed"):
        raise _refused(request, user, attempt, str(found))
    return str(found)


def give_key(request: HttpRequest, user: User, answer: Any) -> Authenticator:
    """Check what a security key answered; return the key, or raise a field error."""
    attempt = _attempt(request, user)
    try:
        webauthn.parse_authentication_response(answer)
        key = webauthn.complete_authentication(user, answer)
    except NO_ANSWER:
        raise _refused(request, user, attempt, "key") from None
    actions.use_key(actor=actor_of_user(user), attempt_id=attempt.pk, factor_id=key.pk)
    return key


def _attempt(request: HttpRequest, user: User) -> LoginAttempt:
    attempt = reserve_attempt(marks=factor_marks_of(request, user.email))
    if attempt.outcome == Attempt.BLOCKED:
        raise get_account_adapter().validation_error("too_many_login_attempts")
    return attempt


def _refused(request: HttpRequest, user: User, attempt: LoginAttempt, why: str) -> ValidationError:
    is_known = request.user.is_authenticated
    refuse_attempt(
        actor=actor_of(request) if is_known else visitor(request, user.organization_id),
        attempt_id=attempt.pk,
        marks=factor_marks_of(request, user.email),
        email=user.email,
        factor=why,
    )
    error: ValidationError = get_adapter().validation_error("incorrect_code")
    return error
