"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText

__all__ = ["Assessment", "AssessmentDraft", "Instrument", "InstrumentText"]
