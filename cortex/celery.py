"""The Celery application; tasks live in each feature's tasks.py, the timetable in the settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.dev")
os.environ.setdefault("CORTEX_DB_ROLE", "system")

app = Celery("cortex")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
