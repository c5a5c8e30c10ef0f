"""The patients app."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """People, what their apps send, and who may see them."""

    name = "patients"
    label = "patients"
    verbose_name = "Patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the relationships that this floor knows, who answers for them, and whose keys are kept."""
        from cortex.access import relations
        from cortex.keys import registry as key_owners
        from cortex.ops.letters import retries
        from patients.registry import access
        from patients.registry.queries import existing
        from patients.upkeep.actions import FEATURES, retry_extraction

        access.register_own_parts()
        relations.register(access.relations)
        key_owners.register(existing)
        retries.register(FEATURES, retry_extraction)
