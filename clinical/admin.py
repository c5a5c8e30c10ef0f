"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from clinical.assessments import admin as _assessments
from clinical.caseload import admin as _caseload
from clinical.sessions import admin as _sessions

__all__ = ["_assessments", "_caseload", "_sessions"]
