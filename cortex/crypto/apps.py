"""The crypto app: it has no tables, only fields, keys and system checks."""

from django.apps import AppConfig


class CryptoConfig(AppConfig):
    """Registers the system checks that keep sealed models honest."""

    name = "cortex.crypto"
    label = "crypto"
    verbose_name = "Sealing"

    def ready(self) -> None:
        """Register the checks."""
        from cortex.crypto import checks

        checks.register_all()
