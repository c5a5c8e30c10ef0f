"""The addresses of the clinical floor: the caseload, a person's chart and their measures."""

from django.urls import URLPattern, URLResolver, include, path

from clinical.assessments import views as measures
from clinical.caseload import views as caseload
from clinical.chart import views as chart
from clinical.sessions import urls as sessions

PERSON: list[URLPattern | URLResolver] = [
    path("", chart.chart, name="chart"),
    path("reviewed/", caseload.case_reviewed, name="case_reviewed"),
    path("unreviewed/", caseload.case_unreviewed, name="case_unreviewed"),
    path("measures/", measures.measure_list, name="measures"),
    path("measures/<slug:key>/", measures.measure_ask, name="measure_ask"),
    path("measures/<slug:key>/answer/", measures.measure_answer, name="measure_answer"),
    path("measures/<slug:key>/finish/", measures.measure_finish, name="measure_finish"),
    path("measures/<slug:key>/give-up/", measures.measure_give_up, name="measure_give_up"),
    path("results/<uuid:assessment_id>/", measures.measure_result, name="measure_result"),
    path("results/<uuid:assessment_id>/correct/", measures.measure_correct, name="measure_correct"),
    *sessions.PERSON,
]

PAGES: list[URLPattern | URLResolver] = [
    path("caseload/", caseload.caseload, name="caseload"),
    path("charts/<uuid:patient_id>/", include(PERSON)),
    *sessions.PAGES,
]

urlpatterns = [path("", include((PAGES, "clinical")))]
