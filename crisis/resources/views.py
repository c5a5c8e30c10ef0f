"""The page of crisis lines: open to everybody, because it must be one tap away."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cortex.access.declare import public
from crisis.resources.queries import places


@public("crisis lines are reachable by everybody, signed in or not")
@require_GET
def crisis_lines(request: HttpRequest) -> HttpResponse:
    """Emergency numbers and crisis lines by place, with the day on which each was checked."""
    return render(request, "crisis/alerts/resources.html", {"places": places()})
