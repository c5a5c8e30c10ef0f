"""Gathers the floor's tasks, since Celery looks for them here; each stands in its feature."""

from clinical.assessments.planning import tasks as _planning
from clinical.scheduling import tasks as _scheduling

__all__ = ["_planning", "_scheduling"]
