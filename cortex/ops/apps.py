"""The ops app."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Settings rows, health, metrics, partitions, embedded stores and `up`."""

    name = "cortex.ops"
    label = "ops"
    verbose_name = "Operations"
