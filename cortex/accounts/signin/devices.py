"""What a request may be recognised by: keyed marks of account, network and device; nothing is stored here."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from cortex.audit.actors import Actor, keyed_hash

COOKIE_DAYS = 180
ACCOUNTS_PER_DEVICE = 12
SALT = "cortex.accounts.device"


@dataclass(frozen=True, slots=True)
class Marks:
    """The keyed digests of one attempt; `device` is empty unless it signed in to this account before."""

    account: str
    network: str
    device: str = ""


def account_mark(email: str) -> str:
    """Return the digest of an account's e-mail, whether or not such an account exists."""
    return keyed_hash("account:" + (email or "").strip().lower())


def factor_mark(email: str) -> str:
    """Return the digest under which codes and keys of an account are counted; a password frees none."""
    return keyed_hash("factor:" + (email or "").strip().lower())


def network_of(request: HttpRequest) -> str:
    """Return the address that counts as one network: an IPv4 address, or the /64 of an IPv6 one."""
    raw = request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(raw)
    except ValueError:
        return "local"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def coarse_address(request: HttpRequest) -> str:
    """Return the address with its last part cut off: enough to know one's own session by, no more."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - shown as "this machine", never bound
    size = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{size}", strict=False).network_address)


def cookie_name() -> str:
    """Return the cookie's name; with TLS the prefix pins it to this host."""
    return "__Host-cortex_device" if settings.SESSION_COOKIE_SECURE else "cortex_device"


def marks_of(request: HttpRequest, email: str) -> Marks:
    """Return the digests that the throttle counts by."""
    account = account_mark(email)
    device, accounts = _read(request)
    known = device if account in accounts else ""
    return Marks(account, keyed_hash("network:" + network_of(request)), keyed_hash(known))


def factor_marks_of(request: HttpRequest, email: str) -> Marks:
    """Return the digests that the throttle of second factors counts by."""
    return replace(marks_of(request, email), account=factor_mark(email))


def remember_device(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Let this device count as known to the account from now on: a signed cookie that scripts can't read."""
    device, accounts = _read(request)
    account = account_mark(email)
    kept = [account, *(other for other in accounts if other != account)][:ACCOUNTS_PER_DEVICE]
    response.set_cookie(
        cookie_name(),
        signing.dumps({"d": device or secrets.token_urlsafe(18), "a": kept}, salt=SALT),
        max_age=timedelta(days=COOKIE_DAYS),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def visitor(request: HttpRequest, organization_id: UUID | None = None) -> Actor:
    """Return the actor of somebody who has not signed in (yet): a kind of its own, which opens nothing."""
    return Actor(
        kind="visitor",
        id=None,
        label="visitor",
        role="visitor",
        organization_id=organization_id,
        org_ids=(organization_id,) if organization_id else (),
        request_id=getattr(request, "request_id", ""),
        ip_hash=keyed_hash(request.META.get("REMOTE_ADDR", "")),
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        found = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=SALT, max_age=timedelta(days=COOKIE_DAYS)
        )
        return str(found["d"]), [str(account) for account in found["a"]]
    except (signing.BadSignature, KeyError, TypeError):
        return "", []
