"""The Celery application; tasks live in each feature's tasks.py, the timetable in the settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_rejected, task_unknown

from cortex.ops.slots.tasking import give_up_unknown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.production")
os.environ.setdefault("CORTEX_DB_ROLE", "system")

# Each task that is sent for a slot of the timetable runs that slot once.
app = Celery("cortex", task_cls="cortex.ops.slots.tasking:SlottedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """A receiver on this signal keeps Celery from setting up logs of its own beside ours."""


@task_unknown.connect
def keep_unknown(name: str = "", message: Any = None, **kwargs: Any) -> None:
    """Lose no message of a release with other tasks: Celery throws it away."""
    give_up_unknown(name, message)


@task_rejected.connect
def keep_unreadable(message: Any = None, **kwargs: Any) -> None:
    """Nor one that is no task in a form that this worker reads."""
    give_up_unknown("unreadable", message)
