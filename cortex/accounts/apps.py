"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, organizations, sessions, invitations and API keys."""

    name = "cortex.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Name the key of second factors to the key store: swept by nobody, tried by proofs, resealed."""
        from cortex.accounts.factors.actions import reseal_secrets
        from cortex.accounts.factors.adapter import existing
        from cortex.accounts.factors.queries import sealed_secrets
        from cortex.keys import registry

        registry.register(existing, purpose="organization")
        registry.register_sealing(sealed_secrets)
        registry.register_resealing("mfa.Authenticator", reseal_secrets)
