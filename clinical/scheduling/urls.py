"""Addresses of appointments and of billing."""

from django.urls import URLPattern, URLResolver, path

from clinical.scheduling import views
from clinical.scheduling.billing import views as billing

PERSON: list[URLPattern | URLResolver] = [
    path("appointments/", views.person_appointments, name="person_appointments"),
]

PAGES: list[URLPattern | URLResolver] = [
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/zone/", views.calendar_zone, name="calendar_zone"),
    path("calendar/new/", views.appointment_new, name="appointment_new"),
    path("calendar/seen/<uuid:notice_id>/", views.calendar_seen, name="calendar_seen"),
    path("appointments/<uuid:appointment_id>/", views.appointment, name="appointment"),
    path("appointments/<uuid:appointment_id>/move/", views.appointment_move, name="appointment_move"),
    path("appointments/<uuid:appointment_id>/cancel/", views.appointment_cancel, name="appointment_cancel"),
    path("appointments/<uuid:appointment_id>/held/", views.appointment_held, name="appointment_held"),
    path(
        "appointments/<uuid:appointment_id>/no-show/", views.appointment_no_show, name="appointment_no_show"
    ),
    path("appointments/<uuid:appointment_id>/back/", views.appointment_back, name="appointment_back"),
    path("appointments/<uuid:appointment_id>/bill/", billing.appointment_bill, name="appointment_bill"),
    path("billing/", billing.billing, name="billing"),
    path("billing/export/", billing.billing_export, name="billing_export"),
    path("billing/export/file/", billing.billing_file, name="billing_file"),
    path("billing/confirm/", billing.lines_confirm, name="lines_confirm"),
    path("billing/<uuid:line_id>/confirm/", billing.line_confirm, name="line_confirm"),
    path("billing/<uuid:line_id>/void/", billing.line_void, name="line_void"),
]
