"""Gathers the back-office pages of the crisis features."""

from crisis.alerts import admin as _alerts  # noqa: F401 (registers its models)
from crisis.duty import admin as _duty  # noqa: F401
from crisis.escalation import admin as _escalation  # noqa: F401
from crisis.followups import admin as _followups  # noqa: F401
from crisis.intake import admin as _intake  # noqa: F401
from crisis.policies import admin as _policies  # noqa: F401
from crisis.resources import admin as _resources  # noqa: F401
from crisis.reviews import admin as _reviews  # noqa: F401
from crisis.safetyplans import admin as _safetyplans  # noqa: F401
from crisis.stepdown import admin as _stepdown  # noqa: F401
from crisis.welfare import admin as _welfare  # noqa: F401
