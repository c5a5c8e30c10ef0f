"""The addresses of the caseload and of one's own marks on a person."""

from django.urls import URLPattern, URLResolver, path

from clinical.caseload import views

PERSON: list[URLPattern | URLResolver] = [
    path("reviewed/", views.case_reviewed, name="case_reviewed"),
    path("unreviewed/", views.case_unreviewed, name="case_unreviewed"),
]
PAGES: list[URLPattern | URLResolver] = [
    path("caseload/", views.caseload, name="caseload"),
    path("caseload/rest/", views.case_rest, name="case_rest"),
    path("caseload/badges/", views.case_badges, name="case_badges"),
    path("caseload/views/", views.case_view_keep, name="case_view_keep"),
    path("caseload/views/<uuid:view_id>/remove/", views.case_view_remove, name="case_view_remove"),
]
