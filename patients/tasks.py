"""Gathers the floor's tasks, since Celery looks for them here; nothing is defined here."""

from patients.changes.tasks import drop_changes
from patients.upkeep.tasks import extract_voice, purge_places, purge_words, refresh_age_bands

__all__ = ["drop_changes", "extract_voice", "purge_places", "purge_words", "refresh_age_bands"]
