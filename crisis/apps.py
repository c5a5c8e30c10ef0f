"""The crisis app: what needs a person now."""

from django.apps import AppConfig


class CrisisConfig(AppConfig):
    """Registers crisis' parts with the floors below when everything is loaded."""

    name = "crisis"
    verbose_name = "Crisis desk"

    def ready(self) -> None:
        """Add claims to the one predicate, the board to the live topics, and what floors below ask."""
        from cortex.live import topics
        from cortex.ops import health, warming
        from cortex.ui import nav
        from crisis.alerts import access
        from crisis.alerts.board_source import BoardSource
        from crisis.desk.counts import DESK
        from crisis.risk import lexicons, readiness, textmodel
        from crisis.risk.lexicon import lexicon

        access.register()
        topics.register("board", BoardSource())
        warming.register(lexicon)
        warming.register_beside(lambda: lexicon().patterns())
        textmodel.provide(readiness.packaged)
        warming.register(textmodel.text_model)
        health.register("text model", readiness.check_text_model)
        health.register("lexicon", lexicons.check_lexicons)
        nav.register(DESK)
