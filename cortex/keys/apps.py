"""The keys app."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """Data keys on the database alias `keys`; floors above register whose ids exist."""

    name = "cortex.keys"
    label = "keys"
    verbose_name = "Data keys"

    def ready(self) -> None:
        """Register organizations as owners of keys."""
        from cortex.keys import queries, registry

        registry.register(queries.existing_organizations, purpose="organization")
