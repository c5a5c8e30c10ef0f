"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.caseload.models import CaseMark, CaseView
from clinical.timeline.models import FindingReview, TimelinePin

__all__ = [
    "Assessment", "AssessmentDraft", "CaseMark", "CaseView", "FindingReview", "Instrument", "InstrumentText",
    "TimelinePin",
]  # fmt: skip
