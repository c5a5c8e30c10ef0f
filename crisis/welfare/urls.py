"""The address of a decision on a welfare check."""

from __future__ import annotations

from django.urls import URLPattern, path

from crisis.welfare import views

PAGES: list[URLPattern] = [
    path("reviews/welfare-checks/<uuid:item_id>/", views.welfare_check, name="welfare_check"),
]
