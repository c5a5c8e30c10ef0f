"""Addresses of break-glass and of one's own notices."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.breakglass import views

PERSON: list[URLPattern | URLResolver] = [
    path("break-glass/end/", views.glass_end, name="glass_end"),
    path("break-glass/protected/", views.glass_protected, name="glass_protected"),
]
PAGES: list[URLPattern | URLResolver] = [
    path("break-glass/", views.glass_open, name="glass_open"),
    path("break-glass/reviews/", views.glass_reviews, name="glass_reviews"),
    path("break-glass/reviews/<uuid:glass_id>/", views.glass_review, name="glass_review"),
    path("break-glass/reviews/<uuid:glass_id>/incident/", views.glass_incident, name="glass_incident"),
    path("notices/<uuid:notice_id>/seen/", views.notice_seen, name="notice_seen"),
]
