"""Template tags of the clinical pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from cortex.ui.paths import path_to

register = template.Library()

# The sections of a chart in their order: key, title, URL name (of this floor, unless it says another).
TABS = (
    ("overview", "Overview", "chart"),
    ("timeline", "Timeline", "timeline"),
    ("sessions", "Sessions", "sessions"),
    ("measures", "Measures", "measures"),
    ("notes", "Notes", "notes"),
    ("plan", "Plan", "plan"),
    ("safety", "Safety plan", "crisis:safety_plan"),
    ("appointments", "Appointments", "person_appointments"),
    ("crisis", "Crisis", "chart_crisis"),
    ("documents", "Documents", "documents"),
    ("people", "People", "chart_people"),
    ("consent", "Consent", "chart_consent"),
    ("access", "Access", "chart_access"),
)
LANGUAGES = {"en": "English", "sw": "Swahili", "sheng": "Sheng", "fr": "French", "so": "Somali"}


@register.inclusion_tag("clinical/chart/_tabs.html")
def chart_tabs(patient_id: UUID, current: str = "") -> dict[str, Any]:
    """Draw a chart's sections; the one that is shown is marked for eyes and ears."""
    return {
        "tabs": [
            (title, path_to(name if ":" in name else f"clinical:{name}", patient_id), key == current)
            for key, title, name in TABS
        ]
    }


@register.filter
def language_words(code: str) -> str:
    """Return a language's name in English; a code that has none here as it stands."""
    return LANGUAGES.get(code, code)
