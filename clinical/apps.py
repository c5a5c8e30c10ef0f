"""The clinical app."""

from django.apps import AppConfig


class ClinicalConfig(AppConfig):
    """The therapist's work and insight, and the composition root."""

    name = "clinical"
    label = "clinical"
    verbose_name = "Clinical"
