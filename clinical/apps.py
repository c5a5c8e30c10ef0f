"""The clinical app."""

from django.apps import AppConfig


class ClinicalConfig(AppConfig):
    """The therapist's work and insight, and the composition root."""

    name = "clinical"
    label = "clinical"
    verbose_name = "Clinical"

    def ready(self) -> None:
        """Add the sources of timelines that stand on the floors below, and the topic of caseloads."""
        from clinical.caseload.live import CaseloadSource
        from clinical.timeline.own import register_own
        from cortex.live import topics

        register_own()
        topics.register("caseload", CaseloadSource())
