"""Gathers the tasks of the crisis features for Celery."""

from crisis.calibration import tasks as _calibration  # noqa: F401
from crisis.intake import tasks as _intake  # noqa: F401 (registers its tasks)
from crisis.reviews import tasks as _reviews  # noqa: F401
from crisis.safetyplans import tasks as _safetyplans  # noqa: F401
from crisis.watchdog import tasks as _watchdog  # noqa: F401
