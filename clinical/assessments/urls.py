"""The addresses of measures: what a person is asked, answers, and results."""

from django.urls import URLPattern, URLResolver, path

from clinical.assessments import views
from clinical.assessments.planning import urls as planning

PERSON: list[URLPattern | URLResolver] = [
    path("measures/", views.measure_list, name="measures"),
    *planning.PERSON,
    path("measures/<slug:key>/print/", views.measure_print, name="measure_print"),
    path("measures/<slug:key>/", views.measure_ask, name="measure_ask"),
    path("measures/<slug:key>/answer/", views.measure_answer, name="measure_answer"),
    path("measures/<slug:key>/finish/", views.measure_finish, name="measure_finish"),
    path("measures/<slug:key>/give-up/", views.measure_give_up, name="measure_give_up"),
    path("results/<uuid:assessment_id>/", views.measure_result, name="measure_result"),
    path("results/<uuid:assessment_id>/correct/", views.measure_correct, name="measure_correct"),
]

PAGES: list[URLPattern | URLResolver] = [*planning.PAGES]
