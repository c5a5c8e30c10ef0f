"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.caseload.models import CaseMark
from clinical.plans.diagnoses.models import Diagnosis, DiagnosisFavourite
from clinical.plans.medications.models import Medication
from clinical.plans.models import (
    Goal,
    GoalProgress,
    PlanApproval,
    PlannedIntervention,
    PlanVersion,
    TreatmentPlan,
)
from clinical.plans.reviews.models import PlanReview

__all__ = [
    "Assessment", "AssessmentDraft", "CaseMark", "Diagnosis", "DiagnosisFavourite", "Goal", "GoalProgress",
    "Instrument", "InstrumentText", "Medication", "PlanApproval", "PlanReview", "PlanVersion",
    "PlannedIntervention", "TreatmentPlan",
]  # fmt: skip
