"""Gathers the models of the clinical floor, each in its feature; nothing is defined here."""

from clinical.assessments import models as _assessments
from clinical.assessments.planning import models as _planning
from clinical.caseload import models as _caseload
from clinical.documents import models as _documents
from clinical.notes import models as _notes
from clinical.plans import models as _plans
from clinical.plans.allergies import models as _allergies
from clinical.plans.diagnoses import models as _diagnoses
from clinical.plans.medications import models as _medications
from clinical.plans.reviews import models as _reviews
from clinical.scheduling import models as _scheduling
from clinical.scheduling.billing import models as _billing
from clinical.sessions import models as _sessions
from clinical.timeline import models as _timeline

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
