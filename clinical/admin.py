"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from clinical.assessments import admin as _assessments
from clinical.assessments.planning import admin as _planning
from clinical.caseload import admin as _caseload
from clinical.scheduling import admin as _scheduling
from clinical.scheduling.billing import admin as _billing

__all__ = ["_assessments", "_billing", "_caseload", "_planning", "_scheduling"]
