"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from clinical.assessments import admin as _assessments
from clinical.assessments.planning import admin as _planning
from clinical.caseload import admin as _caseload
from clinical.documents import admin as _documents
from clinical.notes import admin as _notes
from clinical.plans import admin as _plans
from clinical.plans.allergies import admin as _allergies
from clinical.plans.diagnoses import admin as _diagnoses
from clinical.plans.medications import admin as _medications
from clinical.plans.reviews import admin as _reviews
from clinical.scheduling import admin as _scheduling
from clinical.scheduling.billing import admin as _billing
from clinical.sessions import admin as _sessions
from clinical.timeline import admin as _timeline

__all__ = [
    "_allergies",
    "_assessments",
    "_billing",
    "_caseload",
    "_diagnoses",
    "_documents",
    "_medications",
    "_notes",
    "_planning",
    "_plans",
    "_reviews",
    "_scheduling",
    "_sessions",
    "_timeline",
]
