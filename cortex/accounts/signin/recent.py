"""Whether the person typed the password in the last minutes; what weighs more asks for it again."""

from __future__ import annotations

import time
from datetime import timedelta

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest

RECENT = timedelta(minutes=5)


def is_recent(request: HttpRequest) -> bool:
    """Whether this session's last sign-in or confirmation is at most five minutes old."""
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    return bool(records) and time.time() - records[-1]["at"] < RECENT.total_seconds()


def ask_again_unless_recent(request: HttpRequest) -> None:
    """Lead to the password page (and back with the same request) unless the password was just given."""
    if not is_recent(request):
        raise ReauthenticationRequired
