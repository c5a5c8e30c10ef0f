"""The access app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Declared access, contexts and database roles."""

    name = "cortex.access"
    label = "access"
    verbose_name = "Access"
