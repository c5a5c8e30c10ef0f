"""Addresses of a person's own appointments below /api/v1/."""

from django.urls import path

from clinical.scheduling.own import api

app_name = "own_appointments"
urlpatterns = [path("me/appointments", api.OwnAppointments.as_view(), name="me_appointments")]
