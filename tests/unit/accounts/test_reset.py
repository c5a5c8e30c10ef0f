"""Password reset by a mailed link."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from cortex.accounts.mail.sending import send_due
from cortex.accounts.models import LoginAttempt, PendingMail, SessionState
from cortex.accounts.signin.actions import request_reset
from cortex.accounts.signin.devices import Marks, account_mark
from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from tests.unit.accounts.conftest import People, sign_in

pytestmark = pytest.mark.django_db
NEW = "another walk in the forest"


def ask(email: str, client: Client | None = None) -> object:
    """Post the reset form."""
    return (client or Client()).post("/accounts/password/reset/", {"email": email})


def link() -> str:
    """The path of the newest mail's link, once the sweeper has sent what waits."""
    send_due()
    return re.search(r"http://testserver(\S+)", mail.outbox[-1].body).group(1)


def set_password(client: Client, path: str, password: str = NEW) -> object:
    """Follow the link and post the new password."""
    page = client.get(path, follow=True)
    where = page.redirect_chain[-1][0] if page.redirect_chain else path
    return client.post(where, {"password1": password, "password2": password})


def test_a_known_address_gets_a_link_that_sets_a_password(people: People) -> None:
    old = Client()
    sign_in(old, "cleo@example.org")
    assert ask("Cleo@example.org").status_code == 302
    send_due()
    assert [message.to for message in mail.outbox] == [["cleo@example.org"]]
    assert set_password(Client(), link()).status_code == 302
    assert sign_in(Client(), "cleo@example.org", NEW).status_code == 302
    assert old.get("/me/").status_code == 302, "the old session must have ended"
    assert AuditLog.objects.filter(event_type="password.changed", codes__how="reset").exists()


def test_an_unknown_address_gets_the_same_answer_and_no_mail(people: People) -> None:
    known, unknown = ask("cleo@example.org"), ask("nobody@example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert PendingMail.objects.count() == 2, "a stranger's wish costs the same"
    send_due()
    assert len(mail.outbox) == 1
    assert not PendingMail.objects.exists()


def test_a_link_works_once(people: People) -> None:
    ask("cleo@example.org")
    path = link()
    set_password(Client(), path)
    assert "no longer works" in Client().get(path, follow=True).content.decode()


def test_looking_at_a_link_changes_nothing(people: People) -> None:
    from allauth.account.models import EmailAddress

    ask("cleo@example.org")
    before = AuditLog.objects.count()
    Client().get(link(), follow=True)
    assert AuditLog.objects.count() == before and not EmailAddress.objects.exists()


def test_a_short_password_and_a_common_one_are_refused(people: People) -> None:
    ask("cleo@example.org")
    assert "at least 15" in set_password(Client(), link(), "short").content.decode()
    assert sign_in(Client(), "cleo@example.org", "short").status_code == 422


def test_asking_too_often_sends_no_more_mail_and_says_nothing_about_it(people: People) -> None:
    answers = {ask("cleo@example.org").status_code for _ in range(5)}
    assert answers == {302}
    send_due()
    assert len(mail.outbox) == 3


def test_a_reset_lifts_the_lock_of_the_account(people: People) -> None:
    for _ in range(5):
        sign_in(Client(), "cleo@example.org", "not the password at all")
    ask("cleo@example.org")
    set_password(Client(), link())
    assert sign_in(Client(), "cleo@example.org", NEW).status_code == 302
    assert SessionState.objects.filter(user=people.cleo).count() == 1


def test_strangers_cannot_use_up_the_wishes_of_the_owners_known_device(people: People) -> None:
    account = account_mark("cleo@example.org")

    def wish(network: str, device: str = "") -> bool:
        marks = Marks(account, network, device)
        return request_reset(actor=SYSTEM, email="cleo@example.org", marks=marks) == people.cleo.pk

    assert [wish(f"net {number}") for number in range(5)] == [True] * 3 + [False] * 2
    for number in range(20):
        request_reset(actor=SYSTEM, email="x@example.org", marks=Marks(f"x {number}", "my net"))
    assert [wish("my net", "my device") for _ in range(5)] == [True] * 3 + [False] * 2
    assert not wish("my net")


def test_a_wish_by_the_page_is_counted_with_its_known_device(people: People) -> None:
    known = Client()
    sign_in(known, "cleo@example.org")
    known.post("/accounts/logout/")
    for client in (Client(), known):
        ask("cleo@example.org", client)
    devices = (
        LoginAttempt.objects.filter(outcome="reset").order_by("at").values_list("device_hash", flat=True)
    )
    assert [bool(device) for device in devices] == [False, True]
