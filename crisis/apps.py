"""The crisis app."""

from django.apps import AppConfig


class CrisisConfig(AppConfig):
    """What needs a person now."""

    name = "crisis"
    label = "crisis"
    verbose_name = "Crisis"
