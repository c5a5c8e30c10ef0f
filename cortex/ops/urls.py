"""The machines' addresses."""

from django.urls import path

from cortex.ops import views
from cortex.ops.cspreports.views import csp_report_take

app_name = "ops"
urlpatterns = [
    path("healthz", views.healthz, name="alive_show"),
    path("readyz", views.readyz, name="readiness_show"),
    path("metrics", views.metrics_page, name="metrics_show"),
    path("csp-reports", csp_report_take, name="csp_report_take"),
]
