"""The ops app."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

from cortex.ops.embedded_postgres import EMBEDDED_NAME


def guard_connection(connection: Any, **kwargs: Any) -> None:
    """In production, refuse a superuser, whatever it is called, and a store that `up` started.

    Row-level security doesn't bind the one; the other is sized for one developer and has no backups.
    """
    reason = ""
    if is_superuser(connection):
        reason = f"The database {connection.alias} must not be used as a superuser."
    elif is_embedded(connection):
        reason = f"The database {connection.alias} is an embedded store; production needs its own."
    if reason:
        connection.close()
        raise ImproperlyConfigured(reason)


def is_superuser(connection: Any) -> bool:
    """Read what PostgreSQL told at connect time; it costs no query."""
    return bool(connection.connection.info.parameter_status("is_superuser") == "on")


_asked: set[str] = set()


def is_embedded(connection: Any) -> bool:
    """Ask the server for its name, which `up` sets; once per process, since a pool connects often."""
    if connection.alias in _asked:
        return False
    found = bool(connection.connection.execute("SHOW cluster_name").fetchone()[0] == EMBEDDED_NAME)
    if not found:
        _asked.add(connection.alias)
    return found


class OpsConfig(AppConfig):
    """Settings rows, health, metrics, partitions, embedded stores and `up`."""

    name = "cortex.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register checks, lookups, retries and, in production, the guard of every new connection."""
        from cortex.ops import checks  # noqa: F401
        from cortex.ops.letters import retries
        from cortex.ops.postgres import listed
        from cortex.ops.slots.actions import retry_slot

        listed.register()
        retries.register("task", retry_slot)

        if getattr(settings, "CORTEX_GUARD_CONNECTIONS", False):
            connection_created.connect(guard_connection, dispatch_uid="cortex.guard_connection")
