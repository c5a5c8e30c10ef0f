"""Appointments and reminders in the back office: by pseudonym and time, read-only."""

from __future__ import annotations

from django.contrib import admin

from clinical.scheduling.models import Appointment, AppointmentReminder, CalendarPreference
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(Appointment)
class AppointmentAdmin(PatientRowAdmin):
    """Who meets whom when; moved and called off on the calendar."""

    list_display = ("starts_at", "patient", "therapist", "kind", "channel", "status")
    list_filter = ("status", "kind", "channel")
    list_select_related = ("patient", "therapist")


@admin.register(AppointmentReminder)
class AppointmentReminderAdmin(PatientRowAdmin):
    """Reminders of appointments, and what became of them."""

    list_display = ("due_at", "patient", "done_at", "outcome", "may_text")
    list_filter = ("outcome",)
    list_select_related = ("patient",)


@admin.register(CalendarPreference)
class CalendarPreferenceAdmin(ActionAdmin):
    """In which time zone people read their calendars."""

    list_display = ("user", "timezone")
    list_select_related = ("user",)
