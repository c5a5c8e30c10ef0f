"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The append-only trail and its chain."""

    name = "cortex.audit"
    label = "audit"
    verbose_name = "Audit trail"
