"""Gathers the floor's tasks, since Celery looks for them here; each stands in its feature."""

from clinical.assessments.planning import tasks as _planning
from clinical.notes import tasks as _notes
from clinical.scheduling import tasks as _scheduling
from clinical.sessions.neural import tasks as _neural

__all__ = [
    "_neural",
    "_notes",
    "_planning",
    "_scheduling",
]
