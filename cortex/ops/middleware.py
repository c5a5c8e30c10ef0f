"""Doors of machines, the client's address, the request's id and its log line by route; never path or body."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from functools import cached_property
from uuid import uuid4

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from cortex.ops import metrics

SAFE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# Anything may be typed there, too, and each new word would be a series of its own for ever.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Exactly these, as in cortex/ops/urls.py.
MACHINE_DOORS = frozenset({"/healthz", "/readyz", "/metrics"})
# What the policy's `report-to` names; the path is taken on the page's own host.
REPORTING_ENDPOINTS = f'csp="{settings.CSP_REPORT_PATH}"'
logger = structlog.get_logger("cortex.request")


class MachineDoorsMiddleware:
    """Lets a process manager, a load balancer and Prometheus ask by whatever address they found us at.

    They name the address of one container, which no list of hosts can hold. What they get holds no link and
    no word of the host; every other path is held to the list.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in MACHINE_DOORS and settings.ALLOWED_HOSTS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip("*.") or "localhost"
        return self.get_response(request)


class ClientAddressMiddleware:
    """Puts the client's own address in place of the proxy's, counted from the right of X-Forwarded-For.

    Each trusted proxy appends the address that it saw, so the entry that the outermost of them wrote can't be
    forged; whatever a client put to its left is ignored, and without trusted proxies the whole header is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen = request.META.pop("HTTP_X_FORWARDED_FOR", "").split(",")
        proxies = settings.CORTEX_TRUSTED_PROXIES
        if proxies and len(seen) >= proxies:
            try:
                request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(seen[-proxies].strip()))
            except ValueError:
                pass
        return self.get_response(request)


class StandingPolicyMiddleware(CSPMiddleware):  # type: ignore[misc]
    """Sends the one content policy, made once; an answer that asks for another gets its own."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the header; nonces and exceptions are the package's business."""
        asks = getattr(request, "_csp_nonce", None) or any(one.startswith("_csp") for one in vars(response))
        if asks or settings.DEBUG:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._header)
        response.headers.setdefault("Reporting-Endpoints", REPORTING_ENDPOINTS)
        return response

    @cached_property
    def _header(self) -> str:
        return str(build_policy())


class RequestLogMiddleware:
    """Gives each request an id (a trusted proxy's, when it is harmless) and logs it by route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "") if settings.CORTEX_TRUSTED_PROXIES else ""
        request_id = sent if SAFE_ID.fullmatch(sent) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            begun = time.perf_counter()
            response = self.get_response(request)
            seconds = time.perf_counter() - begun
            response["X-Request-Id"] = request_id
            self._note(request, response.status_code, seconds)
        return response

    def _note(self, request: HttpRequest, status: int, seconds: float) -> None:
        match = request.resolver_match
        # The pattern, not the path: ids in paths are fine, but a stranger may type anything there.
        route = match.route if match is not None else "unmatched"
        method = request.method if request.method in METHODS else "other"
        metrics.observe_request(method, route, status, seconds)
        logger.info(
            "request",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )
