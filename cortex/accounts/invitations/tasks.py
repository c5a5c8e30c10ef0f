"""Mails of invitations; the argument is an id, and the link is made where it is sent."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from cortex.accounts.invitations.actions import note_sent
from cortex.accounts.invitations.links import path_of
from cortex.accounts.invitations.queries import invitation
from cortex.accounts.mails import RETRIES, send_link


@shared_task(name="cortex.accounts.invitations.send_invitation_mail", **RETRIES)
def send_invitation_mail(invitation_id: str, base_url: str) -> None:
    """Mail an open invitation's link; one that is over, or was sent, is left alone."""
    found = invitation(invitation_id)
    if found is None or found.sent_at is not None or not found.is_open(timezone.now()):
        return
    send_link("invitation", to=found.email, name=found.full_name, url=base_url.rstrip("/") + path_of(found))
    note_sent(invitation_id=found.pk)
