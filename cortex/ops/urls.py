"""The machines' addresses."""

from django.urls import path

from cortex.ops import views

app_name = "ops"
urlpatterns = [
    path("healthz", views.healthz, name="alive_show"),
    path("readyz", views.readyz, name="readiness_show"),
    path("metrics", views.metrics_page, name="metrics_show"),
]
