"""The doors of the API's description: for keys as JSON, for people behind sign-in as a page and as JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from rest_framework.request import Request

from cortex.access.declare import requires_any_staff, requires_key
from cortex.api import reference
from cortex.api.authentication import ANY_KEY
from cortex.api.base import ApiView


@requires_key(ANY_KEY)
class Schema(ApiView):
    """The OpenAPI document for a server's key."""

    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Return the document."""
        return JsonResponse(reference.document())


@requires_any_staff
@require_GET
def reference_page(request: HttpRequest) -> HttpResponse:
    """The reference, rendered here from the same document: no script of others, no other host."""
    return render(request, "api/reference.html", reference.page())


@requires_any_staff
@require_GET
def reference_schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document for somebody who is signed in."""
    return JsonResponse(reference.document())
