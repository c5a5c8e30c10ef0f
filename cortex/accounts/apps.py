"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, organizations, sessions, invitations and API keys."""

    name = "cortex.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Say that the key of second factors belongs to somebody, so that no sweep takes it for an orphan."""
        from cortex.accounts.factors.adapter import existing
        from cortex.keys import registry

        registry.register(existing, purpose="organization")
