"""A mail is a row until it has left: no queue, no stalled Redis and no refusing server loses it."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from cortex.accounts.mail import sending
from cortex.accounts.mail.actions import TRIES, lease_mail, queue_mail
from cortex.accounts.mail.models import MailKind
from cortex.accounts.models import PendingMail
from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.ops.letters.models import DeadLetter
from cortex.ops.nomail import NoMailServer
from cortex.settings.env import email_settings
from tests.unit.accounts.conftest import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise SMTPServerDisconnected("cleo@example.org")

    monkeypatch.setattr(sending.EmailMessage, "send", refuse)


def due_now() -> None:
    PendingMail.objects.update(due_at=clock())


def test_asking_for_a_mail_asks_nobody_but_the_database(people: People, settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.CELERY_BROKER_URL = settings.REDIS_URL = "redis://192.0.2.1:6379"
    answer = Client().post("/accounts/password/reset/", {"email": "cleo@example.org"})
    assert answer.status_code == 302
    assert [row.about for row in PendingMail.objects.all()] == [people.cleo.pk]


def test_a_mail_that_fails_waits_and_is_sent_later(
    people: People, refusing: None, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    queue_mail(kind=MailKind.RESET, about=people.cleo.pk, base_url="http://testserver/")
    queue_mail(kind=MailKind.RESET, about=people.sam.pk, base_url="http://testserver/")
    assert sending.send_due() == 2, "one that fails holds up no other"
    assert sending.send_due() == 0, "it isn't tried again at once"
    assert {row.tries for row in PendingMail.objects.all()} == {1}
    assert "cleo@example.org" not in caplog.text
    monkeypatch.undo()
    due_now()
    sending.send_due()
    assert sorted(message.to[0] for message in mail.outbox) == ["cleo@example.org", "sam@example.org"]
    assert not PendingMail.objects.exists()


def test_it_is_given_up_after_hours_and_not_before(people: People, refusing: None) -> None:
    queue_mail(kind=MailKind.RESET, about=people.cleo.pk, base_url="http://testserver/")
    for tries in range(1, TRIES + 1):
        assert PendingMail.objects.get().tries == tries - 1
        due_now()
        before = clock()
        sending.send_due()
        if tries == TRIES - 1:
            assert PendingMail.objects.get().due_at - before > timedelta(minutes=30)
        assert DeadLetter.objects.exists() == (tries == TRIES)
    assert not PendingMail.objects.exists()


def test_a_mail_that_was_given_up_leaves_a_letter_without_an_address(people: People, refusing: None) -> None:
    for _ in range(2):
        queue_mail(kind=MailKind.RESET, about=people.cleo.pk, base_url="http://testserver/")
        for _ in range(TRIES):
            due_now()
            sending.send_due()
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.row_id) == ("accounts.PendingMail.reset", people.cleo.pk)
    assert (letter.error_code, letter.times) == ("SMTPServerDisconnected", 2)
    kept = "".join(str(vars(row)) for row in (letter, *AuditLog.objects.filter(object_id=letter.pk)))
    assert "@" not in kept and people.cleo.full_name not in kept


def test_without_a_mail_server_mails_wait_and_leave_when_there_is_one(people: People, settings: Any) -> None:
    there = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = email_settings("EMAIL_URL", "none")["EMAIL_BACKEND"]
    queue_mail(kind=MailKind.RESET, about=people.cleo.pk, base_url="http://testserver/")
    assert sending.send_due() == 0
    assert PendingMail.objects.get().tries == 0
    with pytest.raises(NoMailServer):
        mail.EmailMessage("A subject", "Words", to=["cleo@example.org"]).send()
    settings.EMAIL_BACKEND = there
    assert sending.send_due() == 1
    assert [message.to for message in mail.outbox] == [["cleo@example.org"]]


def test_two_senders_never_have_the_same_mail(people: People) -> None:
    queue_mail(kind=MailKind.RESET, about=people.cleo.pk, base_url="http://testserver/")
    assert lease_mail() is not None
    assert lease_mail() is None


@pytest.mark.parametrize("kind", MailKind.values)
@pytest.mark.parametrize("about", [None, uuid4()])
def test_a_mail_about_nobody_is_no_mail(people: People, kind: str, about: Any) -> None:
    queue_mail(kind=kind, about=about, base_url="http://testserver/")
    assert sending.send_due() == 1
    assert mail.outbox == []
    assert not PendingMail.objects.exists()
