"""Addresses of schedules of measures."""

from django.urls import URLPattern, URLResolver, path

from clinical.assessments.planning import views

PERSON: list[URLPattern | URLResolver] = [
    path("measures/<slug:key>/plan/", views.plan_set, name="measure_plan"),
    path("measures/<slug:key>/plan/clear/", views.plan_clear, name="measure_plan_clear"),
]

PAGES: list[URLPattern | URLResolver] = [
    path("measures/", views.measures_due, name="measures_due"),
]
