"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, organizations, sessions, invitations and API keys."""

    name = "cortex.accounts"
    label = "accounts"
    verbose_name = "Accounts"
