"""Mails of signing in; the arguments are ids, and the link is made where it is sent."""

from __future__ import annotations

from celery import shared_task

from cortex.accounts.mails import RETRIES, send_link
from cortex.accounts.queries import user_by_id
from cortex.accounts.signin.links import reset_path


@shared_task(name="cortex.accounts.signin.send_reset_mail", **RETRIES)
def send_reset_mail(user_id: str, base_url: str) -> None:
    """Mail a password reset link; with an empty id nobody has the address, and nothing is sent."""
    user = user_by_id(user_id) if user_id else None
    if user is not None and user.is_active:
        send_link("reset", to=user.email, name=user.full_name, url=base_url.rstrip("/") + reset_path(user))
