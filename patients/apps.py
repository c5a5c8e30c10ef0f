"""The patients app."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """People, what their apps send, and who may see them."""

    name = "patients"
    label = "patients"
    verbose_name = "Patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the relationships that this floor knows, and whose keys must never be swept."""
        from cortex.keys import registry as key_owners
        from patients.registry.access import register_own_parts
        from patients.registry.queries import existing

        register_own_parts()
        key_owners.register(existing)
