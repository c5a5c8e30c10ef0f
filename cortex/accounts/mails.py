"""The few mails of accounts: a subject, a sentence and one link; no patient is ever named."""

from __future__ import annotations

from typing import Any

from celery import Task
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError

RETRIES: dict[str, Any] = {"max_retries": 3, "autoretry_for": (OSError,), "retry_backoff": 5}
SUBJECTS = {
    "reset": "Set a new password for Cortex",
    "invitation": "Your invitation to Cortex",
}


def send_link(kind: str, *, to: str, name: str, url: str) -> None:
    """Send one mail with one link; `kind` is a key of SUBJECTS. Raise OSError when the server refuses."""
    body = render_to_string(f"accounts/mail/{kind}.txt", {"name": name, "url": url})
    EmailMessage(subject=SUBJECTS[kind], body=body, to=[to]).send()


def soon(task: Task, *arguments: str) -> None:
    """Hand a mail to a worker, or send it here when the queue is down: nobody should wait for Redis."""
    try:
        task.delay(*arguments)
    except OperationalError:
        task(*arguments)
