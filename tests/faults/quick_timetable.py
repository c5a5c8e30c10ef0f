"""Settings of a timetable that is over in seconds, for processes of `test_timetable.py`."""

from cortex.settings.dev import *  # noqa: F403

CELERY_IMPORTS = ("tests.faults.quick_tasks",)
CELERY_BEAT_SCHEDULE = {"tick": {"task": "tests.quick.tick", "schedule": 1.0}}
CELERY_BEAT_MAX_LOOP_INTERVAL = 0.2
