"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.caseload.models import CaseMark
from clinical.sessions.models import SessionRun

__all__ = ["Assessment", "AssessmentDraft", "CaseMark", "Instrument", "InstrumentText", "SessionRun"]
