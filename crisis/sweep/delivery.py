"""Sends e-mails and signed webhooks of due notifications, and says what a channel confirmed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection
from django.urls import reverse

from cortex.audit import Actor, system
from cortex.clock import clock, steady_now
from crisis.alerts.actions import confirm_delivery
from crisis.escalation import queries
from crisis.escalation.actions import lease_attempt, note_delivery, pager_secret
from crisis.escalation.models import AttemptState, Channel, NotificationAttempt

log = structlog.get_logger(__name__)

NOTIFIER = system("notifier")
LEASE = timedelta(seconds=60)
# Seconds until the next try; after the last one the attempt is a dead letter.
RETRIES = (5, 15, 60, 300, 900, 1800, 3600)
TIMEOUT = 5.0
# Looking up a name has no limit of its own, and each phase of a call has one: this one is for the whole.
LONGEST_CALL = TIMEOUT + 1
# Seconds that a round may take, and that an endpoint rests after a failure.
BUDGET = 20.0
REST = 10.0
# Seconds for which one reading of what is due is worked down: something more urgent may have come since.
ASK_AGAIN = 0.5
WORDS = {
    "task": "A task on the review list has been overdue for a day.",
    "shift": "A shift started without a plan, or a break ran over: see who is on shift.",
}
FAILURES = (AttemptState.FAILED, AttemptState.DEAD)
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """A delivery failed; its argument is a code without content."""


@dataclass
class Deliveries:
    """The sending of one kind of notification, e-mails or webhooks, round by round."""

    webhooks: bool
    resting: dict[UUID, float] = field(default_factory=dict)

    def send_due(self) -> int:
        """Send what is due, the urgent first, for at most BUDGET seconds; return how many were tried.

        An endpoint that just failed rests for a while: its other calls would cost everybody the same wait.
        """
        ends = time.monotonic() + BUDGET
        tried: set[UUID] = set()
        while time.monotonic() < ends:
            due = queries.due_attempts(clock(), webhooks=self.webhooks, besides=self._away())
            due = [one for one in due if one[0] not in tried]
            if not due:
                break
            self._send(due, tried, until=time.monotonic() + ASK_AGAIN)
        return len(tried)

    def _send(self, due: list[tuple[UUID, UUID | None]], tried: set[UUID], until: float) -> None:
        """Send these in order, the first in any case, and the others while it is not time to ask again."""
        for place, (attempt_id, endpoint_id) in enumerate(due):
            if place and time.monotonic() > until:
                return
            if endpoint_id in self.resting:
                continue
            tried.add(attempt_id)
            if self._state(attempt_id) in FAILURES and endpoint_id is not None:
                self.resting[endpoint_id] = time.monotonic() + REST

    def _away(self) -> list[UUID]:
        at = time.monotonic()
        self.resting = {endpoint: until for endpoint, until in self.resting.items() if until > at}
        return list(self.resting)

    def _state(self, attempt_id: UUID) -> str:
        try:
            return deliver(attempt_id)
        except DatabaseError as error:
            # The leased row comes back by itself; a lost connection ends the round.
            if not connection.is_usable():
                raise
            log.error("row_failed", kind="delivery", row=str(attempt_id), error=type(error).__name__)
            return AttemptState.PENDING


def deliver(attempt_id: UUID, actor: Actor = NOTIFIER) -> str:
    """Send one due notification; return the state that it reached, or `taken` when another sender has it."""
    at = clock()
    attempt = lease_attempt(actor=actor, attempt_id=attempt_id, until=at + LEASE, at=at)
    if attempt is None:
        return "taken"
    if queries.is_overtaken(attempt.pk):
        # It ended or was claimed meanwhile: a call now would send somebody to nothing.
        note_delivery(actor=actor, attempt=attempt, state=AttemptState.OVERTAKEN)
        return AttemptState.OVERTAKEN
    try:
        state = _email(attempt) if attempt.channel == Channel.EMAIL else _webhook(attempt)
    except Refused as refusal:
        return _failed(actor, attempt, str(refusal))
    except Exception as error:
        # A name that can't be encoded, a secret whose key is gone, a library's own error: all are tried again
        # and then given up in the open. None may end the thread that sends everybody else's.
        return _failed(actor, attempt, type(error).__name__)
    if state == AttemptState.CONFIRMED:
        confirm_delivery(actor=actor, attempt=attempt)
    else:
        note_delivery(actor=actor, attempt=attempt, state=state)
    return state


def _failed(actor: Actor, attempt: NotificationAttempt, code: str) -> str:
    exhausted = attempt.tries > len(RETRIES)
    state = AttemptState.DEAD if exhausted else AttemptState.FAILED
    retry_at = None if exhausted else clock() + timedelta(seconds=RETRIES[attempt.tries - 1])
    note_delivery(actor=actor, attempt=attempt, state=state, error_code=code[:48], retry_at=retry_at)
    log.warning(
        "notification_failed", attempt=str(attempt.pk), channel=attempt.channel, code=code, state=state
    )
    return state


def _email(attempt: NotificationAttempt) -> str:
    """Send a mail that names nobody; only an SMTP server's acceptance confirms it."""
    user = attempt.user
    if user is None or not user.is_active:
        raise Refused("recipient_gone")
    subject, sentence = _words(attempt)
    body = f"{sentence}\n\nOpen the board: {_board_url()}\n\nThis mail holds no health data on purpose."
    if not EmailMessage(f"Cortex: {subject}", body, to=[user.email]).send():
        raise Refused("not_accepted")
    return AttemptState.CONFIRMED if "smtp" in settings.EMAIL_BACKEND else AttemptState.SENT


def _words(attempt: NotificationAttempt) -> tuple[str, str]:
    """Return subject and sentence of a mail: what waits, and nothing about anybody."""
    if attempt.alert is None:
        thing = "task" if attempt.item_id else "shift"
        return f"a {thing} needs a look", WORDS[thing]
    urgency = "critical" if attempt.alert.level == "critical" else "high"
    if attempt.step_id is None:
        return f"an alert needs a look ({urgency})", f"An alert ({urgency}) needs a look from you."
    return f"an alert is waiting ({urgency})", f"An alert ({urgency}) is waiting for somebody."


def _webhook(attempt: NotificationAttempt) -> str:
    """Post a signed call without health data; a 2xx answer confirms it."""
    endpoint, alert = attempt.webhook, attempt.alert
    if endpoint is None or alert is None or not endpoint.is_active:
        raise Refused("endpoint_gone")
    body = json.dumps(
        {
            "event": "alert.waiting",
            "id": str(alert.pk),
            "attempt": str(attempt.pk),
            "urgency": "now" if alert.level == "critical" or alert.waiting_person else "soon",
            "board": _board_url(),
        }
    ).encode()
    stamp = str(int(steady_now().timestamp()))
    signature = hmac.new(
        pager_secret(actor=NOTIFIER, endpoint=endpoint).encode(), f"{stamp}.".encode() + body, hashlib.sha256
    ).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Cortex-Timestamp": stamp,
        "Cortex-Signature": f"v1={signature}",
        "Idempotency-Key": str(attempt.pk),
    }
    answer = _within(LONGEST_CALL, lambda: _post(endpoint.url, body, headers))
    if not 200 <= answer < 300:
        raise Refused(f"http_{answer}")
    return AttemptState.CONFIRMED


def _within(seconds: float, call: Callable[[], int]) -> int:
    """Make a call that may hang in a thread of its own, and leave it there after so many seconds."""
    outcome: list[int | Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Refused("too_slow")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Post to the very address that was checked: a name that changes its mind can't point inside."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise Refused("bad_url")
    address = _public_address(host, parts.port or (443 if parts.scheme == "https" else 80))
    literal = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    target = parts._replace(netloc=literal + port).geturl()
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        request = client.build_request("POST", target, content=body, headers=headers | {"Host": host + port})
        request.extensions["sni_hostname"] = host
        # The answer's body is never read: a slow drip of it must not hold up everybody else's calls.
        answer = client.send(request, stream=True)
        answer.close()
        return answer.status_code


def _public_address(host: str, port: int) -> str:
    address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    if not _is_public(ipaddress.ip_address(address)) and not settings.CORTEX_PAGER_ALLOW_PRIVATE:
        raise Refused("private_address")
    return address


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is out in the world, also when it wraps an IPv4 address in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _board_url() -> str:
    return settings.CORTEX_PUBLIC_URL.rstrip("/") + reverse("crisis:board")
