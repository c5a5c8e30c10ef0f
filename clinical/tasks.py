"""Gathers the tasks of the clinical features for Celery."""

from clinical.sessions.neural import tasks as _neural  # noqa: F401 (registers its tasks)
