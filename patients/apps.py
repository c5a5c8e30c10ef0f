"""The patients app."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """People, what their apps send, and who may see them."""

    name = "patients"
    label = "patients"
    verbose_name = "Patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the relationships that this floor knows, whose keys are kept, and what pauses a purge."""
        from cortex.access import relations
        from cortex.keys import registry as key_owners
        from cortex.ops.letters import retries
        from patients.holds.queries import held_words
        from patients.registry import access
        from patients.registry.actions import BIRTHS
        from patients.registry.queries import existing
        from patients.sessions.retention import register_hold
        from patients.upkeep.actions import FEATURES, retry_extraction

        access.register_own_parts()
        relations.register(access.relations)
        key_owners.register(existing)
        register_hold("legal_hold", held_words)
        retries.register(FEATURES, retry_extraction)
        # The nightly run reads every birthday, also one whose letter is closed.
        retries.register(BIRTHS, lambda actor, letter, at: None)
