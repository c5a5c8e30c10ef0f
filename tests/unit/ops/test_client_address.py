"""The client's address behind proxies: only what a trusted proxy wrote counts."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from cortex.ops.middleware import ClientAddressMiddleware


def address(forwarded: str) -> str:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        assert "HTTP_X_FORWARDED_FOR" not in request.META
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"x-forwarded-for": forwarded})
    ClientAddressMiddleware(view)(request)
    return seen[0]


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    assert address("203.0.113.9") == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (2, "203.0.113.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "<script>", "10.0.0.1"),
    ],
)
def test_the_entry_of_the_outermost_trusted_proxy_counts(
    settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.CORTEX_TRUSTED_PROXIES = proxies
    assert address(forwarded) == expected
