"""Addresses of measures below /api/v1/."""

from django.urls import path

from clinical.assessments.own import api

app_name = "own_measures"
urlpatterns = [
    path("patients/<str:pseudonym>/measures", api.Measures.as_view(), name="measures"),
    path("patients/<str:pseudonym>/measures/answers", api.MeasureAnswers.as_view(), name="measure_answers"),
    path("me/measures/answers", api.OwnMeasureAnswers.as_view(), name="me_measure_answers"),
    path("me/measures", api.OwnMeasures.as_view(), name="me_measures"),
]
