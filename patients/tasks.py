"""Gathers the floor's tasks, since Celery looks for them here; nothing is defined here."""

from patients.upkeep.tasks import extract_voice, purge_places, purge_words, refresh_age_bands

__all__ = ["extract_voice", "purge_places", "purge_words", "refresh_age_bands"]
