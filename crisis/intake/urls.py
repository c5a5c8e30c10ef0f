"""Addresses of the API, below /api/v1/."""

from django.urls import path

from crisis.intake import api

app_name = "intake"
urlpatterns = [
    path("intake", api.Intake.as_view(), name="take"),
    path("sos", api.Sos.as_view(), name="sos"),
    path("patients", api.Patients.as_view(), name="patient_register"),
    path("patients/<str:pseudonym>/tokens", api.Tokens.as_view(), name="token_mint"),
    path("me/intake", api.OwnIntake.as_view(), name="me_take"),
    path("me/sos", api.OwnSos.as_view(), name="me_sos"),
    path("me/support", api.OwnSupport.as_view(), name="me_support"),
]
