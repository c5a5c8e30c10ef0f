"""How a process of the load begins: Django first, then what needs its models; this needs none."""

from __future__ import annotations

import os
from importlib import import_module
from uuid import UUID

import django

from clinical.backoffice.synth.plan import Plan


def begin(plan: Plan, ids: list[UUID]) -> None:
    """Set up Django in a spawned process and hand it the plan with its organizations."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.dev")
    django.setup()
    import_module("clinical.backoffice.synth.loading").take_up(plan, ids)
