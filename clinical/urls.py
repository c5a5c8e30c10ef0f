"""The addresses of the clinical floor: each feature's own, those of one person below their chart."""

from django.urls import URLPattern, URLResolver, include, path

from clinical.absences import urls as absences
from clinical.assessments import urls as measures
from clinical.breakglass import urls as breakglass
from clinical.caseload import urls as caseload
from clinical.chart import views as chart
from clinical.documents import urls as documents
from clinical.notes import urls as notes
from clinical.pathway import urls as pathway
from clinical.plans import urls as plans
from clinical.record import urls as record
from clinical.scheduling import urls as scheduling
from clinical.sessions import urls as sessions
from clinical.timeline import urls as timeline

PERSON: list[URLPattern | URLResolver] = [
    path("", chart.chart, name="chart"),
    *caseload.PERSON,
    *measures.PERSON,
    *notes.PERSON,
    *documents.PERSON,
    *timeline.PERSON,
    *record.PERSON,
    *breakglass.PERSON,
    *pathway.PERSON,
    *plans.PERSON,
    *scheduling.PERSON,
    *sessions.PERSON,
]

PAGES: list[URLPattern | URLResolver] = [
    *caseload.PAGES,
    path("charts/<uuid:patient_id>/", include(PERSON)),
    *notes.PAGES,
    *documents.PAGES,
    *breakglass.PAGES,
    *pathway.PAGES,
    *absences.PAGES,
    *plans.PAGES,
    *measures.PAGES,
    *scheduling.PAGES,
    *sessions.PAGES,
]

urlpatterns = [
    path("", include((PAGES, "clinical"))),
    path("api/v1/", include("clinical.assessments.own.urls")),
    path("api/v1/", include("clinical.scheduling.own.urls")),
]
