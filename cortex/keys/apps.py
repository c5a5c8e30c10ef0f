"""The keys app."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """The wrapped data keys, in their own database."""

    name = "cortex.keys"
    label = "keys"
    verbose_name = "Data keys"
