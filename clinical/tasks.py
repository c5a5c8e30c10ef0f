"""Gathers the floor's tasks, since Celery looks for them here; nothing is defined here."""

from clinical.notes.tasks import remind_unsigned

__all__ = ["remind_unsigned"]
