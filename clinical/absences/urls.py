"""Addresses of absences and of a leaver's caseload."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.absences import views

PERSON: list[URLPattern | URLResolver] = []
PAGES: list[URLPattern | URLResolver] = [
    path("ways/absences/new/", views.absence_new, name="absence_new"),
    path("ways/absences/<uuid:absence_id>/end/", views.absence_end, name="absence_end"),
    path("ways/absences/<uuid:absence_id>/extend/", views.absence_extend, name="absence_extend"),
    path("ways/leavers/", views.leavers, name="leavers"),
    path("ways/leavers/<uuid:user_id>/", views.leaver, name="leaver"),
]
