"""Gathers the models of the clinical floor, each in its feature; nothing is defined here."""

from clinical.assessments import models as _assessments
from clinical.caseload import models as _caseload
from clinical.notes import models as _notes
from clinical.timeline import models as _timeline

__all__ = ["_assessments", "_caseload", "_notes", "_timeline"]
