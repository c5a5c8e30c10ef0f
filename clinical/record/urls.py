"""Addresses of a chart's sections."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.record import views

PERSON: list[URLPattern | URLResolver] = [
    path("people/", views.chart_people, name="chart_people"),
    path("people/<uuid:member_id>/end/", views.chart_team_end, name="chart_team_end"),
    path("people/to-call/add/", views.chart_contact_add, name="chart_contact_add"),
    path("people/to-call/<uuid:contact_id>/", views.chart_contact, name="chart_contact"),
    path("people/to-call/<uuid:contact_id>/retire/", views.chart_contact_retire, name="chart_contact_retire"),
    path(
        "people/to-call/<uuid:contact_id>/restore/", views.chart_contact_restore, name="chart_contact_restore"
    ),
    path("consent/", views.chart_consent, name="chart_consent"),
    path(
        "consent/<slug:consent_type>/withdraw/", views.chart_consent_withdraw, name="chart_consent_withdraw"
    ),
    path("access/", views.chart_access, name="chart_access"),
    path("crisis/", views.chart_crisis, name="chart_crisis"),
]
PAGES: list[URLPattern | URLResolver] = []
