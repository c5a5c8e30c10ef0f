"""Addresses of the API's own description."""

from django.urls import path

from cortex.api import views

app_name = "api"
urlpatterns = [
    path("api/v1/schema", views.Schema.as_view(), name="schema"),
    path("api/reference/", views.reference_page, name="reference"),
    path("api/reference/schema.json", views.reference_schema, name="reference_schema"),
]
