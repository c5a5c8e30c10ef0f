"""What a channel's answer is worth: only an SMTP server, a pager's 2xx or a person's board confirms."""

from __future__ import annotations

import hashlib
import hmac
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_string
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from crisis.alerts.models import RiskAlert
from crisis.escalation.models import NotificationAttempt, PagerEndpoint
from crisis.escalation.queries import due_attempts
from crisis.policies.actions import add_pager
from crisis.sweep import delivery
from crisis.sweep.delivery import RETRIES, deliver
from tests.cast import Cast
from tests.makers import machine, make_alert, now

pytestmark = pytest.mark.django_db
SECRET = "a secret of at least thirty-two characters"


class Mailroom(socketserver.ThreadingTCPServer):
    """A tiny SMTP server that accepts every mail, or refuses every recipient."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, refusing: bool = False) -> None:
        self.refusing = refusing
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), Clerk)


class Clerk(socketserver.StreamRequestHandler):
    """Speaks just enough SMTP."""

    server: Mailroom

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "DATA":
                self.take()
            elif verb == "RCPT" and self.server.refusing:
                self.say("550 nobody of that name")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def take(self) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        self.server.mails.append("".join(lines))
        self.say("250 taken")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Pager(HTTPServer):
    """A pager service that answers with one status and keeps what it was sent."""

    def __init__(self) -> None:
        self.status, self.may_answer = 204, threading.Event()
        self.may_answer.set()
        self.calls: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Ring)


class Ring(BaseHTTPRequestHandler):
    """Takes one call."""

    server: Pager

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), body))
        self.server.may_answer.wait(60)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


def served(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def pager() -> Iterator[Pager]:
    yield from served(Pager())


@pytest.fixture(params=[False])
def mailroom(request: pytest.FixtureRequest, settings: Any) -> Iterator[Mailroom]:
    for room in served(Mailroom(refusing=request.param)):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = room.server_address
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield room


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """A critical alert of the cast's patient; Cleo is on shift."""
    cast.on_duty()
    return make_alert(cast.patient)


@pytest.fixture
def ringing(cast: Cast, pager: Pager, settings: Any) -> PagerEndpoint:
    """The organization's pager endpoint, known before the alert is raised."""
    settings.CORTEX_PAGER_ALLOW_PRIVATE = True
    url = f"http://127.0.0.1:{pager.server_port}/ring"
    return add_pager(actor=machine(cast.home), name="Pager", url=url, secret=SECRET)


def attempt(alert: RiskAlert, channel: str) -> NotificationAttempt:
    return NotificationAttempt.objects.get(alert=alert, channel=channel)


def state(alert: RiskAlert, channel: str) -> tuple[str, str]:
    row = attempt(alert, channel)
    alert.refresh_from_db()
    return row.state, alert.status


def words_of(cast: Cast, alert: RiskAlert) -> list[str]:
    """What must never leave by a channel that others read."""
    return [cast.patient.anonymous_id, str(cast.patient.pk), "Zawadi", "Planted", "self_harm", "self-harm",
            "text_a", "suicid", "kill"]  # fmt: skip


def test_a_mail_that_an_smtp_server_accepted_confirms(
    cast: Cast, alert: RiskAlert, mailroom: Mailroom
) -> None:
    assert deliver(attempt(alert, "email").pk) == "confirmed"
    assert state(alert, "email") == ("confirmed", "notified")
    (text,) = mailroom.mails
    letter = message_from_string(text)
    assert letter["To"] == cast.cleo.email
    assert reverse("crisis:board") in text
    assert not [word for word in words_of(cast, alert) if word in text.lower() or word in text]


@pytest.mark.parametrize("mailroom", [True], indirect=True)
def test_a_mail_that_was_refused_is_tried_again(alert: RiskAlert, mailroom: Mailroom) -> None:
    assert deliver(attempt(alert, "email").pk) == "failed"
    row = attempt(alert, "email")
    assert (row.error_code, mailroom.mails) == ("SMTPRecipientsRefused", [])
    assert_again_in(row, RETRIES[0])
    assert state(alert, "email") == ("failed", "new")


@pytest.mark.parametrize("backend", ["locmem", "console", "dummy"])
def test_no_other_mail_backend_confirms(alert: RiskAlert, settings: Any, backend: str) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    deliver(attempt(alert, "email").pk)
    row = attempt(alert, "email")
    assert (row.confirmed_at, state(alert, "email")) == (None, ("sent", "new"))


def test_a_mail_to_a_closed_account_is_not_sent(cast: Cast, alert: RiskAlert) -> None:
    type(cast.cleo).objects.filter(pk=cast.cleo.pk).update(is_active=False, disabled_at=now())
    assert deliver(attempt(alert, "email").pk) == "failed"
    assert attempt(alert, "email").error_code == "recipient_gone"
    assert mail.outbox == []


def test_a_pager_that_answers_2xx_confirms_a_signed_call_without_health_data(
    ringing: PagerEndpoint, cast: Cast, alert: RiskAlert, pager: Pager
) -> None:
    assert deliver(attempt(alert, "webhook").pk) == "confirmed"
    assert state(alert, "webhook") == ("confirmed", "notified")
    ((headers, body),) = pager.calls
    signed = f"{headers['Cortex-Timestamp']}.".encode() + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["Cortex-Signature"] == f"v1={expected}"
    assert abs(int(headers["Cortex-Timestamp"]) - time.time()) < 30
    assert headers["Idempotency-Key"] == str(attempt(alert, "webhook").pk)
    said = json.loads(body)
    assert set(said) == {"event", "id", "attempt", "urgency", "board"}
    assert (said["event"], said["urgency"]) == ("alert.waiting", "now")
    assert not [word for word in words_of(cast, alert) if word.encode() in body]


@pytest.mark.parametrize("status", [302, 400, 500, 503])
def test_another_answer_is_tried_again_and_then_confirms(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager, status: int
) -> None:
    pager.status = status
    row = attempt(alert, "webhook")
    assert deliver(row.pk) == "failed"
    row.refresh_from_db()
    assert (row.error_code, len(pager.calls)) == (f"http_{status}", 1), "a redirect is not followed"
    assert_again_in(row, RETRIES[0])
    pager.status = 200
    make_due(row)
    assert deliver(row.pk) == "confirmed"
    assert pager.calls[0][0]["Idempotency-Key"] == pager.calls[1][0]["Idempotency-Key"]


def test_a_pager_that_never_answers_well_becomes_a_dead_letter(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager
) -> None:
    pager.status = 500
    row = attempt(alert, "webhook")
    states = []
    for _ in range(len(RETRIES) + 1):
        make_due(row)
        states.append(deliver(row.pk))
    row.refresh_from_db()
    assert states == ["failed"] * len(RETRIES) + ["dead"]
    assert (row.next_try_at, row.tries, row.error_code) == (None, len(RETRIES) + 1, "http_500")
    assert row.pk not in due_ids(now() + timedelta(days=9))
    assert deliver(row.pk) == "taken"
    assert state(alert, "webhook") == ("dead", "new")


def test_a_pager_that_hangs_is_left(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TIMEOUT", 0.2)
    pager.may_answer.clear()
    assert deliver(attempt(alert, "webhook").pk) == "failed"
    pager.may_answer.set()
    assert attempt(alert, "webhook").error_code == "ReadTimeout"


PRIVATE = [
    *("127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
    *("0.0.0.0", "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]"),  # noqa: S104
    *("[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_never_called(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager, settings: Any, host: str
) -> None:
    settings.CORTEX_PAGER_ALLOW_PRIVATE = False
    PagerEndpoint.objects.filter(pk=ringing.pk).update(url=f"http://{host}:{pager.server_port}/ring")
    assert deliver(attempt(alert, "webhook").pk) == "failed"
    assert (attempt(alert, "webhook").error_code, pager.calls) == ("private_address", [])


def test_the_address_that_was_checked_is_the_one_that_is_called(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [[(2, 1, 6, "", ("93.184.216.34", 80))], [(2, 1, 6, "", ("127.0.0.1", pager.server_port))]]
    called: list[str] = []
    settings.CORTEX_PAGER_ALLOW_PRIVATE = False
    monkeypatch.setattr(delivery.socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(
        delivery.httpx.Client, "send", lambda _, request, **__: called.append(request.url.host) or fine()
    )
    PagerEndpoint.objects.filter(pk=ringing.pk).update(url="http://pager.example/ring")
    assert deliver(attempt(alert, "webhook").pk) == "confirmed"
    assert called == ["93.184.216.34"]


def fine() -> Any:
    return delivery.httpx.Response(204)


@pytest.mark.parametrize("url", ["ftp://pager.example/", "http://", "http://a..b.example/", "http://[zz]/"])
def test_a_broken_address_fails_by_code_and_stops_nobody(
    ringing: PagerEndpoint, alert: RiskAlert, url: str
) -> None:
    PagerEndpoint.objects.filter(pk=ringing.pk).update(url=url)
    assert deliver(attempt(alert, "webhook").pk) == "failed"
    assert attempt(alert, "webhook").error_code
    assert deliver(attempt(alert, "email").pk) == "sent"


def test_a_switched_off_pager_is_not_called(ringing: PagerEndpoint, alert: RiskAlert, pager: Pager) -> None:
    PagerEndpoint.objects.filter(pk=ringing.pk).update(is_active=False)
    assert deliver(attempt(alert, "webhook").pk) == "failed"
    assert (attempt(alert, "webhook").error_code, pager.calls) == ("endpoint_gone", [])


def test_what_one_sender_has_leased_no_other_sends(
    ringing: PagerEndpoint, alert: RiskAlert, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = attempt(alert, "webhook")
    second: list[str] = []
    real = delivery._post

    def post(*values: Any) -> int:
        second.append(deliver(row.pk))  # another sweeper comes by while the call is on its way
        return real(*values)

    monkeypatch.setattr(delivery, "_post", post)
    assert deliver(row.pk) == "confirmed"
    assert (second, len(pager.calls)) == (["taken"], 1)


def test_a_sender_that_died_is_followed_by_the_next_after_its_lease(alert: RiskAlert) -> None:
    row = attempt(alert, "email")
    NotificationAttempt.objects.filter(pk=row.pk).update(next_try_at=now() + timedelta(seconds=30), tries=1)
    assert row.pk not in due_ids(now())
    assert row.pk in due_ids(now() + timedelta(seconds=61))


def due_ids(at: datetime) -> set[Any]:
    return {attempt for kind in (True, False) for attempt, _ in due_attempts(at, webhooks=kind)}


def make_due(row: NotificationAttempt) -> None:
    NotificationAttempt.objects.filter(pk=row.pk).update(next_try_at=now() - timedelta(seconds=1))


def assert_again_in(row: NotificationAttempt, seconds: int) -> None:
    due: datetime | None = row.next_try_at
    assert due is not None
    assert seconds - 8 < (due - now()).total_seconds() <= seconds  # the next pause is longer by ten
