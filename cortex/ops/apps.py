"""The ops app."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created


def refuse_superuser_connection(connection: Any, **kwargs: Any) -> None:
    """In production, refuse to work as a role that row-level security doesn't bind, whatever it is called."""
    if is_superuser(connection):
        connection.close()
        raise ImproperlyConfigured(f"The database {connection.alias} must not be used as a superuser.")


def is_superuser(connection: Any) -> bool:
    """Read what PostgreSQL told at connect time; it costs no query."""
    return bool(connection.connection.info.parameter_status("is_superuser") == "on")


class OpsConfig(AppConfig):
    """Settings rows, health, metrics, partitions, embedded stores and `up`."""

    name = "cortex.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register the checks and, in production, the guard of every new connection."""
        from cortex.ops import checks  # noqa: F401

        if getattr(settings, "CORTEX_REFUSE_SUPERUSER", False):
            connection_created.connect(refuse_superuser_connection, dispatch_uid="cortex.refuse_superuser")
