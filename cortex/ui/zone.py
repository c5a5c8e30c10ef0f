"""Shows times in the zone of the person's organization; what is stored and compared stays UTC."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    # Of a folder of zones ("Africa") an OSError tells.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


class OrganizationZoneMiddleware:
    """Puts the organization's zone into force for the rendering of one answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        organization = getattr(request.user, "organization", None) if request.user.is_authenticated else None
        if organization is None:
            return self.get_response(request)
        with timezone.override(zone_of(organization.default_timezone)):
            return self.get_response(request)
