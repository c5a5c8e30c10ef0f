"""Gathers the models of the crisis features; none are defined here."""

from crisis.alerts.models import AlertEvent, AlertFeedback, RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation.models import AlertStep, NotificationAttempt, PagerEndpoint, SlaPolicy
from crisis.followups.models import FollowUpCheck
from crisis.intake.models import IntakeKey, IntakeRequest
from crisis.resources.models import CrisisResource
from crisis.reviews.models import FollowUp, FollowUpAttempt, ReviewItem, SecondReview
from crisis.risk.models import Evidence, Lexicon, LexiconEntry, RiskAssessment, RiskDue
from crisis.safetyplans.models import SafetyPlan, SafetyPlanItem, SafetyPlanReview
from crisis.stepdown.models import StepDown
from crisis.welfare.models import WelfareDecision

__all__ = [
    "AlertEvent",
    "AlertFeedback",
    "AlertStep",
    "CrisisResource",
    "DutyShift",
    "Evidence",
    "FollowUp",
    "FollowUpAttempt",
    "FollowUpCheck",
    "IntakeKey",
    "IntakeRequest",
    "Lexicon",
    "LexiconEntry",
    "NotificationAttempt",
    "PagerEndpoint",
    "ReviewItem",
    "RiskAlert",
    "RiskAssessment",
    "RiskDue",
    "SafetyPlan",
    "SafetyPlanItem",
    "SafetyPlanReview",
    "SecondReview",
    "SlaPolicy",
    "StepDown",
    "WelfareDecision",
]
