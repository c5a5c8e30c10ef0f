"""Sends e-mails and signed webhooks of due notifications, and says what a channel confirmed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import time
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from cortex.audit import Actor, system
from cortex.clock import clock
from crisis.alerts.actions import confirm_delivery
from crisis.escalation.actions import lease_attempt, note_delivery, pager_secret
from crisis.escalation.models import AttemptState, Channel, NotificationAttempt

log = structlog.get_logger(__name__)

NOTIFIER = system("notifier")
LEASE = timedelta(seconds=60)
# Seconds until the next try; after the last one the attempt is a dead letter.
RETRIES = (5, 15, 60, 300, 900, 1800, 3600)
TIMEOUT = 5.0
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """A delivery failed; its argument is a code without content."""


def deliver(attempt_id: UUID, actor: Actor = NOTIFIER) -> str:
    """Send one due notification; return the state that it reached, or `taken` when another sender has it."""
    at = clock()
    attempt = lease_attempt(actor=actor, attempt_id=attempt_id, until=at + LEASE, at=at)
    if attempt is None:
        return "taken"
    if not attempt.alert.is_open:
        # It ended meanwhile: a call now would send somebody to nothing.
        note_delivery(actor=actor, attempt=attempt, state=AttemptState.DEAD, error_code="overtaken")
        return AttemptState.DEAD
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
    urgency = "critical" if attempt.alert.level == "critical" else "high"
    body = (
        f"An alert ({urgency}) is waiting for somebody.\n\nOpen the board: {_board_url()}\n\n"
        "This mail holds no health data on purpose."
    )
    sent = EmailMessage(f"Cortex: an alert is waiting ({urgency})", body, to=[user.email]).send()
    if not sent:
        raise Refused("not_accepted")
    return AttemptState.CONFIRMED if "smtp" in settings.EMAIL_BACKEND else AttemptState.SENT


def _webhook(attempt: NotificationAttempt) -> str:
    """Post a signed call without health data; a 2xx answer confirms it."""
    endpoint = attempt.webhook
    if endpoint is None or not endpoint.is_active:
        raise Refused("endpoint_gone")
    body = json.dumps(
        {
            "event": "alert.waiting",
            "id": str(attempt.alert_id),
            "attempt": str(attempt.pk),
            "urgency": "now" if attempt.alert.level == "critical" or attempt.alert.waiting_person else "soon",
            "board": _board_url(),
        }
    ).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(
        pager_secret(actor=NOTIFIER, endpoint=endpoint).encode(), f"{stamp}.".encode() + body, hashlib.sha256
    ).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Cortex-Timestamp": stamp,
        "Cortex-Signature": f"v1={signature}",
        "Idempotency-Key": str(attempt.pk),
    }
    answer = _post(endpoint.url, body, headers)
    if not 200 <= answer < 300:
        raise Refused(f"http_{answer}")
    return AttemptState.CONFIRMED


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
