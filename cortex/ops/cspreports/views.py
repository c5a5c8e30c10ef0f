"""The door for browsers' reports about the content policy; nothing of a body is echoed or logged."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cortex.access.declare import public
from cortex.accounts.signin.devices import network_of
from cortex.api.strict import BodyRefused
from cortex.audit.actors import system
from cortex.ops import metrics
from cortex.ops.cspreports.actions import count_violations
from cortex.ops.cspreports.parsing import LIMITS, NEW_KIND, OLD_KIND, read_reports
from cortex.ops.cspreports.throttle import WINDOW_SECONDS, reports

BROWSERS = system("csp reports")


@public("A browser reports what the content policy stopped, before the sign-in too; codes alone are kept.")
@csrf_exempt
@require_POST
def csp_report_take(request: HttpRequest) -> HttpResponse:
    """Count what a browser reports; too much, too often or unreadable is refused without a word."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _refused(403, "site")
    if request.content_type not in (OLD_KIND, NEW_KIND):
        return _refused(415, "kind")
    if reports.is_over(network_of(request)):
        return _refused(429, "rate", {"Retry-After": str(WINDOW_SECONDS)})
    body = request.read(LIMITS.size + 1)
    own_host = split_domain_port(request.get_host())[0]
    try:
        told = read_reports(body, request.content_type, own_host)
    except BodyRefused as error:
        return _refused(error.status, error.code)
    if not told:
        return _refused(204, "foreign")
    count_violations(actor=BROWSERS, told=told)
    for one, times in told.items():
        metrics.csp_violations.labels(one.directive, one.source).inc(times)
    return HttpResponse(status=204)


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> HttpResponse:
    metrics.csp_reports_refused.labels(why).inc()
    return HttpResponse(status=status, headers=headers)
