"""Gathers the floor's tasks, since Celery looks for them here; nothing is defined here."""

from clinical.notes import tasks as _notes
from clinical.sessions.neural import tasks as _neural

__all__ = ["_neural", "_notes"]
