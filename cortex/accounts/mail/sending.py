"""Sends what waits: the link is made where it is sent, for whoever may still have it."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from cortex.accounts.invitations.actions import note_sent
from cortex.accounts.invitations.links import path_of
from cortex.accounts.invitations.queries import invitation
from cortex.accounts.mail.actions import TRIES, drop_mail, lease_mail
from cortex.accounts.mail.models import MailKind, PendingMail
from cortex.accounts.queries import user_by_id
from cortex.accounts.signin.links import reset_path
from cortex.audit import system
from cortex.clock import clock
from cortex.ops import nomail
from cortex.ops.letters.actions import bury_row

log = structlog.get_logger(__name__)

SUBJECTS = {
    MailKind.RESET: "Set a new password for Cortex",
    MailKind.INVITATION: "Your invitation to Cortex",
    MailKind.FACTORS: "Your second factors for Cortex were reset",
}
AT_ONCE = 50
# With the kind of mail behind it, the name of a dead letter; its row is the person or the invitation.
GIVEN_UP = "accounts.PendingMail"


def send_due() -> int:
    """Send the mails that are due, at most 50; return how many were taken. One that fails is tried again.

    Without a mail server all wait until there is one.
    """
    if nomail.is_off():
        return 0
    for taken in range(AT_ONCE):
        mail = lease_mail()
        if mail is None:
            return taken
        try:
            _send(mail)
        except Exception as error:  # A refusing server or a broken name: neither may hold up the others.
            log.warning("mail_failed", kind=mail.kind, tries=mail.tries, error=type(error).__name__)
            if mail.tries < TRIES:
                continue
            _give_up(mail, error)
        drop_mail(mail_id=mail.pk)
    return AT_ONCE


def _give_up(mail: PendingMail, error: Exception) -> None:
    """Leave a letter that names whom the mail was about by id, so that somebody asks for it again."""
    bury_row(
        actor=system("mails"), name=f"{GIVEN_UP}.{mail.kind}", row_id=mail.about or mail.pk,
        error_code=type(error).__name__,
    )  # fmt: skip


def _send(mail: PendingMail) -> None:
    if mail.about is None:
        return
    send = {MailKind.RESET: _reset, MailKind.INVITATION: _invitation, MailKind.FACTORS: _factors}
    send[MailKind(mail.kind)](mail.about, mail.base_url)


def _reset(user_id: UUID, base_url: str) -> None:
    user = user_by_id(user_id)
    if user is not None and user.is_active:
        _mail(MailKind.RESET, user.email, user.full_name, base_url, reset_path(user))


def _factors(user_id: UUID, base_url: str) -> None:
    """Tell a person that a colleague took their factors: if nobody asked for it, somebody is at the door."""
    user = user_by_id(user_id)
    if user is not None and user.is_active:
        _mail(MailKind.FACTORS, user.email, user.full_name, base_url, reverse("account_login"))


def _invitation(invitation_id: UUID, base_url: str) -> None:
    """Mail an open invitation's link; one that is over, or was sent, is left alone."""
    found = invitation(invitation_id)
    if found is None or found.sent_at is not None or not found.is_open(clock()):
        return
    _mail(MailKind.INVITATION, found.email, found.full_name, base_url, path_of(found))
    note_sent(invitation_id=found.pk)


def _mail(kind: MailKind, to: str, name: str, base_url: str, path: str) -> None:
    url = base_url.rstrip("/") + path
    body = render_to_string(f"accounts/mail/{kind}.txt", {"name": name, "url": url})
    EmailMessage(subject=SUBJECTS[kind], body=body, to=[to]).send()
