"""The address of the start page."""

from __future__ import annotations

from django.urls import path

from cortex.ui import views

app_name = "ui"
urlpatterns = [path("", views.home, name="home")]
