"""The addresses of steps down from critical: a person's page, and the second reader's."""

from __future__ import annotations

from django.urls import URLPattern, path

from crisis.stepdown import views

PERSON = "people/<uuid:patient_id>/step-down/"
PAGES: list[URLPattern] = [
    path(PERSON, views.step_down, name="step_down"),
    path(f"{PERSON}<uuid:step_down_id>/withdraw/", views.step_down_withdraw, name="step_down_withdraw"),
    path("reviews/step-downs/<uuid:step_down_id>/", views.step_down_review, name="step_down_review"),
]
