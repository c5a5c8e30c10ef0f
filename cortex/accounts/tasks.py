"""Gathers the tasks of the features, where Celery looks for them."""

from cortex.accounts.sessions.tasks import sweep_out

__all__ = ["sweep_out"]
