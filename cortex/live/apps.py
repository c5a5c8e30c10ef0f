"""The live app."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """Feeds, topics and the hub."""

    name = "cortex.live"
    label = "live"
    verbose_name = "Live feed"
