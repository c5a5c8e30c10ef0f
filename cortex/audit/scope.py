"""The database's row scope of a transaction: the organizations that its actor may touch."""

from __future__ import annotations

from django.db import connection

from cortex.audit.actors import Actor
from cortex.ops.postgres.base import begin_with_setting


def set_scope(actor: Actor | None) -> None:
    """Set the row scope until the end of the transaction, with its very BEGIN where that is still to come."""
    organizations = ",".join(str(identifier) for identifier in actor.reach) if actor else ""
    if begin_with_setting("app.orgs", organizations):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.orgs', %s, true)", [organizations])
