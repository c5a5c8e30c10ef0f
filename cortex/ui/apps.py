"""The app of the shared look: template tags, navigation, pages and partials; it owns no tables."""

from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Registers the template library and the templates' helpers."""

    name = "cortex.ui"
    label = "ui"
    verbose_name = "Look"
