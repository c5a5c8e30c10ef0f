"""The doors for machines: alive, ready, metrics."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from cortex.access.declare import public
from cortex.ops import health, metrics


@public("A process manager asks whether this process lives; the answer holds nothing else.")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers."""
    return JsonResponse({"status": "alive"})


@public("A load balancer asks whether to send people here; the answer names parts and times only.")
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Ask every part; 503 when an essential one is down."""
    status, body = health.readiness()
    return JsonResponse(body, status=status)


@public("Prometheus signs in with its own token, which this view checks.")
@require_safe
@never_cache
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Give this process's figures to whoever holds the token."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.CORTEX_METRICS_TOKEN
    if not expected or kind != "Bearer" or not hmac.compare_digest(token.encode(), expected.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    health.readiness()
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)
