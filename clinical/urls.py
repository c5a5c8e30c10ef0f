"""The addresses of the clinical floor: each feature's own, those of one person below their chart."""

from django.urls import URLPattern, URLResolver, include, path

from clinical.absences import urls as absences
from clinical.assessments import views as measures
from clinical.breakglass import urls as breakglass
from clinical.caseload import urls as caseload
from clinical.chart import views as chart
from clinical.notes import urls as notes
from clinical.pathway import urls as pathway
from clinical.plans import urls as plans
from clinical.record import urls as record
from clinical.timeline import urls as timeline

PERSON: list[URLPattern | URLResolver] = [
    path("", chart.chart, name="chart"),
    *caseload.PERSON,
    path("measures/", measures.measure_list, name="measures"),
    path("measures/<slug:key>/", measures.measure_ask, name="measure_ask"),
    path("measures/<slug:key>/answer/", measures.measure_answer, name="measure_answer"),
    path("measures/<slug:key>/finish/", measures.measure_finish, name="measure_finish"),
    path("measures/<slug:key>/give-up/", measures.measure_give_up, name="measure_give_up"),
    path("results/<uuid:assessment_id>/", measures.measure_result, name="measure_result"),
    path("results/<uuid:assessment_id>/correct/", measures.measure_correct, name="measure_correct"),
    *notes.PERSON,
    *timeline.PERSON,
    *record.PERSON,
    *breakglass.PERSON,
    *pathway.PERSON,
    *plans.PERSON,
]

PAGES: list[URLPattern | URLResolver] = [
    *caseload.PAGES,
    path("charts/<uuid:patient_id>/", include(PERSON)),
    *notes.PAGES,
    *breakglass.PAGES,
    *pathway.PAGES,
    *absences.PAGES,
    *plans.PAGES,
]

urlpatterns = [path("", include((PAGES, "clinical")))]
