"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from clinical.assessments import admin as _assessments
from clinical.caseload import admin as _caseload
from clinical.notes import admin as _notes
from clinical.timeline import admin as _timeline

__all__ = ["_assessments", "_caseload", "_notes", "_timeline"]
