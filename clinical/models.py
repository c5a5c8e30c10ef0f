"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.assessments.planning.models import InstrumentSwitch, MeasureChase, MeasurePlan
from clinical.caseload.models import CaseMark
from clinical.scheduling.billing.models import BillingCode, BillingLine
from clinical.scheduling.models import Appointment, AppointmentReminder, CalendarPreference

__all__ = [
    "Appointment", "AppointmentReminder", "Assessment", "AssessmentDraft", "BillingCode", "BillingLine",
    "CalendarPreference", "CaseMark", "Instrument", "InstrumentSwitch", "InstrumentText", "MeasureChase",
    "MeasurePlan",
]  # fmt: skip
