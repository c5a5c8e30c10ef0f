"""The addresses of safety plans: a person's pages, and the person's own app."""

from __future__ import annotations

from django.urls import URLPattern, path

from crisis.safetyplans import api, views

PERSON = "people/<uuid:patient_id>/safety-plan/"
PAGES: list[URLPattern] = [
    path(PERSON, views.safety_plan, name="safety_plan"),
    path(f"{PERSON}edit/", views.safety_plan_edit, name="safety_plan_edit"),
    path(f"{PERSON}print/", views.safety_plan_print, name="safety_plan_print"),
    path(f"{PERSON}discard/", views.safety_plan_discard, name="safety_plan_discard"),
    path(f"{PERSON}versions/<uuid:plan_id>/", views.safety_plan_version, name="safety_plan_version"),
    path(f"{PERSON}versions/<uuid:plan_id>/review/", views.safety_plan_review, name="safety_plan_review"),
    path(f"{PERSON}versions/<uuid:plan_id>/retire/", views.safety_plan_retire, name="safety_plan_retire"),
]

app_name = "safetyplans"
urlpatterns = [path("me/safety-plan", api.OwnSafetyPlan.as_view(), name="me_safety_plan")]
