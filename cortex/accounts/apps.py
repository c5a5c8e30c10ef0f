"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, organizations, sessions, invitations and API keys."""

    name = "cortex.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Name the key of second factors to the key store: no sweep takes it for an orphan, proofs try it."""
        from cortex.accounts.factors.adapter import existing
        from cortex.accounts.factors.queries import sealed_secrets
        from cortex.keys import registry

        registry.register(existing, purpose="organization")
        registry.register_sealing(sealed_secrets)
