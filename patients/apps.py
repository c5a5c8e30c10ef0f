"""The patients app."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """People, what their apps send, and who may see them."""

    name = "patients"
    label = "patients"
    verbose_name = "Patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the relationships that this floor knows."""
        from patients.registry.access import register_own_parts

        register_own_parts()
