"""Template tags of the clinical pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse

register = template.Library()

# The sections of a chart in their order: key, title, URL name.
TABS = (
    ("overview", "Overview", "chart"),
    ("sessions", "Sessions", "sessions"),
    ("measures", "Measures", "measures"),
)


@register.inclusion_tag("clinical/chart/_tabs.html")
def chart_tabs(patient_id: UUID, current: str = "") -> dict[str, Any]:
    """Draw a chart's sections; the one that is shown is marked for eyes and ears."""
    return {
        "tabs": [
            (title, reverse(f"clinical:{name}", args=[patient_id]), key == current)
            for key, title, name in TABS
        ]
    }
