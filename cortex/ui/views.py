"""The start page: sends each person to the first page of their role."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from cortex.access.declare import requires_any_staff
from cortex.ui.nav import home_of


@requires_any_staff
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the first entry of the navigation that this role has."""
    return redirect(home_of(str(request.user.role)))  # type: ignore[union-attr]
