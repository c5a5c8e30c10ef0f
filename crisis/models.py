"""Gathers the models of the crisis features; none are defined here."""

from crisis.alerts.models import AlertEvent, AlertFeedback, RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation.models import AlertStep, NotificationAttempt, PagerEndpoint, SlaPolicy
from crisis.intake.models import IntakeKey, IntakeRequest
from crisis.resources.models import CrisisResource
from crisis.reviews.models import FollowUp, FollowUpAttempt, ReviewItem, SecondReview
from crisis.risk.models import Evidence, Lexicon, LexiconEntry, RiskAssessment, RiskDue
from crisis.safetyplans.models import SafetyPlan, SafetyPlanItem, SafetyPlanReview

__all__ = [
    "AlertEvent",
    "AlertFeedback",
    "AlertStep",
    "CrisisResource",
    "DutyShift",
    "Evidence",
    "FollowUp",
    "FollowUpAttempt",
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
]
