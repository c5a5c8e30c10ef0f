"""Writes of waiting mails: put in with what they are about, leased for one try, taken out when sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.accounts.mail.models import PendingMail
from cortex.audit import quiet
from cortex.clock import clock

# A try may take this long before another sender may make the next; it doubles from try to try.
LEASE = timedelta(seconds=30)
TRIES = 8


@quiet("the wish for a mail; what it is about is recorded by its own action")
def queue_mail(*, kind: str, about: UUID | None, base_url: str) -> None:
    """Have a mail sent, by whichever sweeper comes first. For nobody, the same work is done."""
    PendingMail.objects.create(kind=kind, about=about, base_url=base_url)


@quiet("a lease of a mail")
def lease_mail(*, at: datetime | None = None) -> PendingMail | None:
    """Return the mail that waits longest and keep it from others for a while; None when none is due."""
    due = PendingMail.objects.select_for_update(skip_locked=True).filter(due_at__lte=clock(at))
    mail = due.order_by("due_at").first()
    if mail is None:
        return None
    mail.due_at = clock(at) + LEASE * 2**mail.tries
    mail.tries += 1
    mail.save(update_fields=["due_at", "tries"])
    return mail


@quiet("a mail that was sent, or given up, is nobody's care")
def drop_mail(*, mail_id: UUID) -> None:
    """Take a mail out."""
    PendingMail.objects.filter(pk=mail_id).delete()
