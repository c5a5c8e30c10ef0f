"""No mail server (`EMAIL_URL=none`): what is sent fails, so that nothing counts as told that nobody gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

BACKEND = "cortex.ops.nomail.NoMail"


class NoMailServer(Exception):
    """There is no mail server."""


class NoMail(BaseEmailBackend):
    """Sends nothing, and says so."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Refuse whatever is sent."""
        if email_messages and not self.fail_silently:
            raise NoMailServer
        return 0


def is_off() -> bool:
    """Whether mails can't leave this house."""
    return bool(settings.EMAIL_BACKEND == BACKEND)
