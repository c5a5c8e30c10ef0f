"""The clinical app."""

from django.apps import AppConfig


class ClinicalConfig(AppConfig):
    """The therapist's work and insight, and the composition root."""

    name = "clinical"
    label = "clinical"
    verbose_name = "Clinical"

    def ready(self) -> None:
        """Let every page say by which emergency a chart is open, and tell people what is new to them."""
        from clinical.breakglass.showing import glass_strip, notice_strip
        from cortex.ui import strips

        strips.register(glass_strip)
        strips.register(notice_strip)
