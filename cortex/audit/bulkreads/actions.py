"""Writes about unusual reading: it stands in the trail, and compliance is told."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from cortex.audit import Actor, Unchanged, action, record
from cortex.audit.bulkreads import queries
from cortex.audit.bulkreads.queries import SEEN, Reader
from cortex.clock import clock
from cortex.ops.models import Notification
from cortex.ops.notices.actions import notify

logger = logging.getLogger("cortex.audit")
NOTICE = "bulk_reading"
# So long after it was noticed the same person is not told of again.
PAUSE = timedelta(hours=24)


@action
def notice_bulk_reading(
    *, actor: Actor, found: Reader, at: datetime | None = None
) -> list[Notification] | None:
    """Put on record that somebody read of unusually many people and tell compliance; None when it is known.

    Nothing is closed to them: in a crisis many people are looked at for good reasons, and people judge that.
    """
    at = clock(at)
    user = queries.reader(found.user_id)
    if user is None or queries.was_noticed(user.pk, at - PAUSE):
        return Unchanged(None)  # type: ignore[return-value]
    codes = {"opened": found.opened, "listed": found.listed}
    record(actor, SEEN, user, codes=codes)
    logger.warning("Somebody read of unusually many people within an hour (user %s).", user.pk)
    if user.organization_id is None:
        return []
    return notify(
        actor=actor, organization_id=user.organization_id, user_ids=queries.to_tell(user), code=NOTICE,
        object_type="accounts.User", object_id=user.pk, codes=codes,
    )  # fmt: skip
